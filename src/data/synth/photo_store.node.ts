/** Photographs and silhouettes as composites need them, decoded once and remembered as long as there is room. */
import { InputError } from "../../errors.js";
import { DEFAULT_MAX_PIXELS, decodeImage } from "../../image/codec.node.js";
import { boundingBox, maskFromAlpha } from "../../image/mask.js";
import { decodeReduced, type Reduced } from "../../image/sharp.node.js";
import type { Silhouette } from "./shapes.js";

/** The shorter side of what colours are taken from. */
const THUMBNAIL = 96;
/** The shorter side of what is cropped, in sizes of the composites: the smallest crop is not enlarged. */
const PHOTOGRAPH = 2;

export class PhotoStore {
  private readonly known = new Map<string, Reduced | Silhouette | InputError>();
  private room: number;

  /** @param cacheBytes what may be remembered; nothing is ever dropped for another */
  constructor(
    private readonly size: number,
    cacheBytes: number,
  ) {
    this.room = cacheBytes;
  }

  /** @throws InputError where it cannot be read */
  photograph(path: string): Promise<Reduced> {
    return this.remembered(`p ${path}`, () => reduced(path, PHOTOGRAPH * this.size), bytesOf);
  }

  /** A small copy. It never comes from the larger one: what is remembered must not show in the result. */
  thumbnail(path: string): Promise<Reduced> {
    return this.remembered(`t ${path}`, () => reduced(path, THUMBNAIL), bytesOf);
  }

  /** @throws InputError where the file cannot be read, has no alpha, or is opaque or empty all over */
  silhouette(path: string): Promise<Silhouette> {
    return this.remembered(
      `s ${path}`,
      () => readSilhouette(path),
      ({ data }) => data.byteLength,
    );
  }

  private async remembered<T extends Reduced | Silhouette>(
    key: string,
    read: () => Promise<T>,
    bytes: (value: T) => number,
  ): Promise<T> {
    const known = this.known.get(key);
    if (known instanceof InputError) throw known;
    if (known) return known as T;
    try {
      const value = await read();
      if (bytes(value) <= this.room) {
        this.room -= bytes(value);
        this.known.set(key, value);
      }
      return value;
    } catch (error) {
      if (error instanceof InputError) this.known.set(key, error);
      throw error;
    }
  }
}

const reduced = (path: string, shortest: number): Promise<Reduced> =>
  decodeReduced(path, { shortest, maxPixels: DEFAULT_MAX_PIXELS });

const bytesOf = ({ image }: Reduced): number => image.data.byteLength;

async function readSilhouette(path: string): Promise<Silhouette> {
  const mask = maskFromAlpha(await decodeImage(path), path);
  const box = boundingBox(mask);
  if (!box) throw new InputError(`${path}: is transparent all over, so it has no silhouette`);
  const [width, height] = [box.x1 - box.x0, box.y1 - box.y0];
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = (box.y0 + y) * mask.width + box.x0;
    data.set(mask.data.subarray(from, from + width), y * width);
  }
  return { width, height, channels: 1, data, area: data.reduce((sum, value) => sum + value, 0) };
}
