/**
 * Where a training's tensors live. A large one is a variable of its own; small ones lie together in packed variables, so
 * that optimizer, averages and statistics take a dispatch for all of them instead of one each. State dicts know nothing
 * of it: every entry keeps its PyTorch key, and its place.
 */
import { PART_ALIGNMENT } from "../graph/op.js";
import { type Shape, sizeOf, type Tensor, variable } from "../graph/tensor.js";
import { type HostTensor, toFloat32 } from "../io/tensor_data.js";
import { pack } from "../kernels/pack/op.js";
import { part } from "../kernels/part/op.js";

/** Elements of a packed variable. */
const CAPACITY = 32768;
/** What is larger than this is left alone. */
const SMALL = CAPACITY / 4;

/** The way to PyTorch's layout and back. */
export interface Conversion {
  toPyTorch(values: Float32Array): Float32Array;
  fromPyTorch(values: Float32Array): Float32Array;
}

export interface EntrySpec extends Partial<Conversion> {
  readonly key: string;
  /** PyTorch's. */
  readonly shape: Shape;
  /** Elements of the graph's tensor before it; missing means none. */
  readonly start?: number;
}

/** A tensor of the state dict. */
export interface StateEntry extends Conversion {
  readonly key: string;
  /** PyTorch's. */
  readonly shape: Shape;
  /** The graph's tensor that it lies in, and the elements before it there. */
  readonly tensor: Tensor;
  readonly start: number;
  /** The unit that holds it, and the elements before it there. */
  readonly unit: number;
  readonly place: number;
}

/** A variable and the tensors inside it: itself, or parts. */
export interface StorageUnit {
  readonly variable: Tensor;
  readonly parts: readonly { readonly tensor: Tensor; readonly start: number }[];
}

const same = (values: Float32Array): Float32Array => values;

export class ParameterStore {
  /** In the order they were asked for. */
  readonly entries: StateEntry[] = [];
  private readonly all: { variable: Tensor; parts: { tensor: Tensor; start: number }[] }[] = [];
  /** The packed variable that is being filled, and its elements that are taken. */
  private filling: { readonly unit: number; taken: number } | null = null;

  /**
   * @param name of packed variables
   * @param initial values by PyTorch key
   */
  constructor(
    private readonly name: string,
    private readonly initial: ReadonlyMap<string, HostTensor>,
  ) {}

  get units(): readonly StorageUnit[] {
    return this.all;
  }

  /** A tensor that holds one or more entries. @throws Error where one has no initial values */
  add(name: string, shape: Shape, specs: readonly EntrySpec[]): Tensor {
    const missing = specs.find(({ key }) => !this.initial.has(key));
    if (missing) throw new Error(`training: no initial values for ${missing.key}`);
    const { tensor, unit, start } = this.allocate(name, shape);
    for (const { key, shape: pytorch, start: inside = 0, toPyTorch = same, fromPyTorch = same } of specs) {
      const places = { tensor, start: inside, unit, place: start + inside };
      this.entries.push({ key, shape: pytorch, ...places, toPyTorch, fromPyTorch });
    }
    return tensor;
  }

  /** One tensor of the form of a unit's variable from tensors like its parts. */
  gather(unit: StorageUnit, of: (part: Tensor) => Tensor): Tensor {
    const tensors = unit.parts.map(({ tensor }) => of(tensor));
    const [whole] = tensors;
    if (whole && unit.parts[0]?.tensor === unit.variable) return whole;
    return pack(tensors, { starts: unit.parts.map(({ start }) => start), size: sizeOf(unit.variable.shape) });
  }

  private allocate(name: string, shape: Shape): { tensor: Tensor; unit: number; start: number } {
    const size = sizeOf(shape);
    if (size > SMALL) {
      const unit = this.all.length;
      const tensor = variable(name, shape, () => this.initialValues(unit));
      this.all.push({ variable: tensor, parts: [{ tensor, start: 0 }] });
      return { tensor, unit, start: 0 };
    }
    if (!this.filling || this.filling.taken + size > CAPACITY) {
      const unit = this.all.length;
      const packed = variable(`${this.name} ${unit}`, [CAPACITY], () => this.initialValues(unit));
      this.all.push({ variable: packed, parts: [] });
      this.filling = { unit, taken: 0 };
    }
    const { unit, taken: start } = this.filling;
    const filled = this.all[unit];
    if (!filled) throw new Error(`training: unit ${unit} does not exist`);
    const tensor = part(filled.variable, { start, shape }, { name });
    filled.parts.push({ tensor, start });
    this.filling.taken = Math.ceil((start + size) / PART_ALIGNMENT) * PART_ALIGNMENT;
    return { tensor, unit, start };
  }

  private initialValues(unit: number): Float32Array {
    const values = new Float32Array(sizeOf(this.all[unit]?.variable.shape ?? []));
    for (const { key, unit: own, place, fromPyTorch } of this.entries) {
      const tensor = this.initial.get(key);
      if (own === unit && tensor) values.set(fromPyTorch(toFloat32(tensor)), place);
    }
    return values;
  }
}
