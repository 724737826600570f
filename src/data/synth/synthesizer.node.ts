/**
 * Makes composites. One follows from its subject and seed alone: neither what was made before nor who makes it matters.
 *
 * The natural picture is a photograph's crop; in the composite the colours inside the mask are those of a restyled copy.
 * Both are rounded to 8 bits once, at the end, and no lossy format comes between: where the mask is 0 they are equal bit
 * for bit, and inside it they differ by the restyling alone. (Were they compressed as JPEG each by itself, a network could
 * tell the region by its artefacts, and would be asked to undo noise everywhere.)
 */
import { InputError } from "../../errors.js";
import type { Image } from "../../image/image.js";
import { resize } from "../../image/resize.js";
import { cropToSquare } from "../../image/sharp.node.js";
import { hashKeys, mulberry32 } from "../../random.js";
import { areaOf, type Raster, rasterize } from "./coco_mask.js";
import { judge, LIMITS, type Measures, measure, type Rejection } from "./judge.js";
import { PhotoStore } from "./photo_store.node.js";
import { Draws } from "./random_draws.js";
import { drawRecipe, type Recipe, restyle } from "./recipe.js";
import { meanOf, paste, regionOf, smoothOver } from "./region_pixels.js";
import { randomRegion } from "./regions.js";
import { placeSilhouette, randomShape } from "./shapes.js";
import type { Split, Subject, SynthSpec } from "./spec.js";
import { drawFamily, type Family } from "./varied.js";
import { cropImage, cropMask, drawWindow, flipSquare, pixelsOf, WHOLE, type Window } from "./window.js";

/** 8-bit pictures of the spec's size. */
export interface Composite {
  readonly natural: Uint8Array;
  readonly composite: Uint8Array;
  /** 0 to 255. */
  readonly mask: Uint8Array;
}

export interface Description {
  /** Files' paths, or COCO's annotation. */
  readonly source: string;
  readonly maskSource: string;
  readonly reference: string | null;
  readonly window: Window & { readonly flipped: boolean };
  readonly recipe: Recipe | { readonly rendition: string };
  readonly measures: Measures;
}

export interface Made extends Composite {
  readonly description: Description;
}

export interface Attempts {
  /** Null where none was good enough. */
  readonly made: Made | null;
  /** The last one, good or not. */
  readonly last: Made;
  readonly rejected: readonly (Rejection | typeof UNUSABLE_CUTOUT | typeof UNUSABLE_REFERENCE)[];
}

export const UNUSABLE_CUTOUT = "unusable cut-out";
export const UNUSABLE_REFERENCE = "unreadable reference";
const ATTEMPTS = 12;
/** Photographs looked at for one to take colours from. */
const REFERENCES = 3;
/** Salt. */
const FAMILY = 100;

export class Synthesizer {
  private readonly store: PhotoStore;
  private readonly photographs: Readonly<Record<Split, readonly string[]>>;

  constructor(
    private readonly spec: SynthSpec,
    cacheBytes: number,
  ) {
    this.store = new PhotoStore(spec.size, cacheBytes);
    const of = (split: Split): readonly string[] => [
      ...new Set(spec.subjects.filter((one) => one.split === split).map(({ files }) => files[0] as string)),
    ];
    this.photographs = { train: of("train"), val: of("val") };
  }

  /** @throws InputError where the subject's files cannot be read or do not fit together, or its mask is none */
  async make(subject: Subject, seed: number): Promise<Attempts> {
    const { leastShare, mostShare, style } = this.spec;
    // Once for all attempts: the kinds of which more are rejected would else become fewer.
    const family = style === "varied" ? drawFamily(new Draws(mulberry32(hashKeys(seed, FAMILY)))) : null;
    const leastRmse = family === null ? LIMITS.leastRmse : 0;
    const rejected: Attempts["rejected"][number][] = [];
    let last: Made | null = null;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const made = await this.attempt(subject, new Draws(mulberry32(hashKeys(seed, attempt))), family);
      if (typeof made === "string") {
        rejected.push(made);
        continue;
      }
      last = made;
      const reason = judge(made.description.measures, leastShare, mostShare, leastRmse);
      if (reason === null) return { made, last, rejected };
      rejected.push(reason);
    }
    if (last) return { made: null, last, rejected };
    throw new InputError(`${subject.name}: no composite can be made of it: ${rejected.join(", ")}`);
  }

  private async attempt(
    subject: Subject,
    draws: Draws,
    family: Family | null,
  ): Promise<Made | typeof UNUSABLE_CUTOUT | typeof UNUSABLE_REFERENCE> {
    const { size, crop, kind } = this.spec;
    const [path, rendition] = kind === "pairs" ? twoOf(subject.files, draws) : [subject.files[0] as string, null];
    const photograph = await this.store.photograph(path);
    const object = annotatedMask(subject, photograph.original);
    const window = crop ? drawWindow(photograph.image, object, draws) : WHOLE;
    const flipped = crop && draws.chance(0.5);
    const square = async (image: Image): Promise<Uint8Array> => {
      const { data } = await cropToSquare(image, pixelsOf(window, image.width, image.height), size);
      return flipped ? flipSquare(data as Uint8Array, size, 3) : (data as Uint8Array);
    };
    const natural = await square(photograph.image);
    const found = object ? objectMask(object, window, flipped, size, subject) : await this.drawMask(natural, draws);
    if (found === null) return UNUSABLE_CUTOUT;
    const { mask, maskSource } = found;

    let restyled: Float32Array;
    let recipe: Description["recipe"];
    let reference: string | null = null;
    const region = regionOf(natural, mask);
    if (rendition !== null) {
      const other = await this.store.photograph(rendition);
      assertSamePhotograph(subject, photograph.original, other.original);
      restyled = regionOf(await square(other.image), mask);
      recipe = { rendition };
    } else {
      const others = this.photographs[subject.split];
      const drawn = drawRecipe(this.spec.style, others.length > 1, draws, family);
      let pixels: Float32Array | null = null;
      if (drawn.transfer) {
        const found = await this.drawReference(others, path, region, draws);
        if (found === null) return UNUSABLE_REFERENCE;
        ({ path: reference, pixels } = found);
      }
      restyled = restyle(region, drawn, pixels, draws, (change) => smoothOver(mask, size, change));
      recipe = drawn;
    }
    const composite = paste(natural, restyled, mask);
    const measures = measure(natural, composite, mask);
    const description = { source: path, maskSource, reference, window: { ...window, flipped }, recipe, measures };
    return { natural, composite, mask, description };
  }

  /** Null where the cut-out that was drawn has no silhouette. */
  private async drawMask(
    natural: Uint8Array,
    draws: Draws,
  ): Promise<{ readonly mask: Uint8Array; readonly maskSource: string } | null> {
    const { size, masks, cutouts, leastShare, mostShare } = this.spec;
    const kind = draws.one(masks);
    const share = draws.scale(leastShare * 1.2, mostShare * 0.9);
    if (kind === "regions") return { mask: randomRegion(natural, size, share, draws), maskSource: "region" };
    if (kind === "shapes") return { mask: randomShape(size, share, draws), maskSource: "shape" };
    const path = draws.one(cutouts);
    try {
      const silhouette = await this.store.silhouette(path);
      return { mask: placeSilhouette(silhouette, size, share, draws), maskSource: path };
    } catch (error) {
      if (error instanceof InputError) return null;
      throw error;
    }
  }

  /** Of a few that are drawn the one whose mean is nearest: HCOCO takes an object of the same kind. */
  private async drawReference(
    others: readonly string[],
    path: string,
    region: Float32Array,
    draws: Draws,
  ): Promise<{ readonly path: string; readonly pixels: Float32Array } | null> {
    const mean = meanOf(region);
    let best: { readonly path: string; readonly pixels: Float32Array } | null = null;
    let nearest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < REFERENCES; i++) {
      const drawn = another(others, path, draws);
      const pixels = await this.referencePixels(drawn, draws);
      if (pixels === null) continue;
      const distance = Math.hypot(...meanOf(pixels).map((value, c) => value - (mean[c] as number)));
      if (distance < nearest) [best, nearest] = [{ path: drawn, pixels }, distance];
    }
    return best;
  }

  /** Of a random box in another photograph, as HCOCO takes colours from one region. */
  private async referencePixels(path: string, draws: Draws): Promise<Float32Array | null> {
    try {
      const { image } = await this.store.thumbnail(path);
      const side = (): { share: number; at: number } => {
        const share = draws.between(0.3, 0.8);
        return { share, at: draws.between(0, 1 - share) };
      };
      const [across, down] = [side(), side()];
      const box = cropImage(image, { x: across.at, y: down.at, width: across.share, height: down.share });
      return new Float32Array(box.data);
    } catch (error) {
      if (error instanceof InputError) return null;
      throw error;
    }
  }
}

/** @param others at least two, all different */
function another(others: readonly string[], path: string, draws: Draws): string {
  const index = draws.index(others.length);
  const drawn = others[index] as string;
  return drawn === path ? (others[(index + 1) % others.length] as string) : drawn;
}

function twoOf(files: readonly string[], draws: Draws): readonly [string, string] {
  const first = draws.index(files.length);
  const second = (first + 1 + draws.index(files.length - 1)) % files.length;
  return [files[first] as string, files[second] as string];
}

function annotatedMask({ name, annotation }: Subject, size: { width: number; height: number }): Raster | null {
  if (!annotation) return null;
  const { width, height, segmentation } = annotation;
  if (width !== size.width || height !== size.height) {
    throw new InputError(
      `${name}: the photograph is ${size.width} x ${size.height}, its annotation's ${width} x ${height}`,
    );
  }
  const raster = rasterize(segmentation, width, height, name);
  if (areaOf(raster) === 0) throw new InputError(`${name}: its mask is empty`);
  return raster;
}

function objectMask(
  object: Raster,
  window: Window,
  flipped: boolean,
  size: number,
  { annotation }: Subject,
): { readonly mask: Uint8Array; readonly maskSource: string } {
  const mask = bytesOf(resize(cropMask(object, window), size, size).data);
  return { mask: flipped ? flipSquare(mask, size, 1) : mask, maskSource: `annotation ${annotation?.id}` };
}

function assertSamePhotograph({ name }: Subject, a: { width: number; height: number }, b: typeof a): void {
  const [first, second] = [a.width / a.height, b.width / b.height];
  if (Math.abs(first / second - 1) <= 0.01) return;
  throw new InputError(`${name}: one rendition is ${a.width} x ${a.height}, another ${b.width} x ${b.height}`);
}

/** 0 to 1 as 8 bits. */
const bytesOf = (data: Float32Array): Uint8Array => {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++)
    out[i] = Math.min(255, Math.max(0, Math.floor(255 * (data[i] as number) + 0.5)));
  return out;
};
