/**
 * In which order examples are seen. Every epoch has an order of its own that follows from the seed, so a training can go
 * on from any position as if it had never stopped.
 *
 * An epoch is cut into whole batches; the few examples left over wait for another epoch, whose order will be another.
 * Where a batch is larger than the whole set, an epoch is one batch that goes round the set as often as it must.
 */
import { hashKeys, mulberry32, permutation } from "../random.js";

/** The sample at `index` of the order of `epoch`, both counted from 0. */
export interface DataPosition {
  readonly epoch: number;
  readonly index: number;
}

export const batchesPerEpoch = (length: number, batch: number): number => Math.max(1, Math.floor(length / batch));

/** Where the batch after the one at `position` begins. */
export const nextPosition = (position: DataPosition, length: number, batch: number): DataPosition =>
  startOfBatch({ ...position, index: position.index + batch }, length, batch);

/** The position itself, or the next epoch's first where no whole batch is left in this one. */
export const startOfBatch = ({ epoch, index }: DataPosition, length: number, batch: number): DataPosition =>
  index === 0 || index + batch <= length ? { epoch, index } : { epoch: epoch + 1, index: 0 };

/** Salts, so that orders and augmentations of one seed have nothing in common. */
const ORDER = 1;
const AUGMENTATION = 2;

export class EpochOrders {
  private readonly known = new Map<number, Uint32Array>();

  constructor(
    readonly length: number,
    readonly seed: number,
  ) {}

  /** Which example stands at a position; past the end the order begins again. */
  at({ epoch, index }: DataPosition): number {
    return this.orderOf(epoch)[index % this.length] as number;
  }

  /** The order of one epoch. The last two are remembered: batches ahead may already be of the next. */
  private orderOf(epoch: number): Uint32Array {
    const known = this.known.get(epoch);
    if (known) return known;
    for (const old of this.known.keys()) if (this.known.size > 1) this.known.delete(old);
    const order = permutation(this.length, mulberry32(hashKeys(ORDER, this.seed, epoch)));
    this.known.set(epoch, order);
    return order;
  }
}

/** The seed of the random changes to the example that is seen at a position. */
export const augmentationSeed = (seed: number, { epoch, index }: DataPosition): number =>
  hashKeys(AUGMENTATION, seed, epoch, index);
