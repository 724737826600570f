/** The objects of COCO's annotations that are large enough to restyle, each with the photograph it is in. */
import { InputError } from "../../errors.js";
import { areaOf, rasterize, type Segmentation } from "./coco_mask.js";
import { readJsonArrays } from "./json_arrays.node.js";
import type { Annotation } from "./spec.js";

export interface CocoObject {
  /** The photograph's file name. */
  readonly file: string;
  readonly annotation: Annotation;
}

/** Annotations that were left out, by what is the matter. */
export interface LeftOut {
  crowds: number;
  tooSmall: number;
  tooLarge: number;
  /** Of a mask that is none, or of no known picture. */
  damaged: number;
  missingPictures: number;
}

interface CocoImage {
  readonly file: string;
  readonly width: number;
  readonly height: number;
}

/** Where the file says how large an object is, its mask is only drawn if that is near enough to the bounds. */
const DOUBT = 0.8;

/**
 * @param pictures names of the files there are
 * @throws InputError where the file is no JSON, or has no images or no annotations
 */
export async function readCocoObjects(
  path: string,
  pictures: ReadonlySet<string>,
  [leastShare, mostShare]: readonly [number, number],
): Promise<{ readonly objects: readonly CocoObject[]; readonly annotations: number; readonly leftOut: LeftOut }> {
  const images = new Map<number, CocoImage>();
  const kept: { readonly imageId: number; readonly annotation: Annotation }[] = [];
  const waiting: Record<string, unknown>[] = [];
  const leftOut: LeftOut = { crowds: 0, tooSmall: 0, tooLarge: 0, damaged: 0, missingPictures: 0 };
  let annotations = 0;
  const consider = (raw: Record<string, unknown>): void => {
    const image = images.get(Number(raw.image_id));
    if (!image) leftOut.damaged++;
    else if (!pictures.has(image.file)) leftOut.missingPictures++;
    else {
      const annotation = largeEnough(raw, image, leastShare, mostShare);
      if (typeof annotation === "string") leftOut[annotation]++;
      else kept.push({ imageId: Number(raw.image_id), annotation });
    }
  };
  await readJsonArrays(path, (key, element) => {
    if (typeof element !== "object" || element === null) return;
    const raw = element as Record<string, unknown>;
    if (key === "images") {
      const image = imageOf(raw);
      if (!image) throw new InputError(`${path}: an image without id, file_name, width and height`);
      images.set(Number(raw.id), image);
    } else if (key === "annotations") {
      annotations++;
      if (raw.iscrowd) leftOut.crowds++;
      else if (images.has(Number(raw.image_id))) consider(raw);
      else waiting.push(raw); // COCO's images come first, others' need not
    }
  });
  for (const raw of waiting) consider(raw);
  if (images.size === 0 || annotations === 0) {
    throw new InputError(`${path}: holds ${images.size} images and ${annotations} annotations; expected some of both`);
  }
  const objects = kept.map(({ imageId, annotation }) => ({
    file: (images.get(imageId) as CocoImage).file,
    annotation,
  }));
  return { objects, annotations, leftOut };
}

function imageOf({ id, file_name: file, width, height }: Record<string, unknown>): CocoImage | null {
  const isSide = (side: unknown): side is number => Number.isInteger(side) && (side as number) > 0;
  if (!Number.isInteger(id) || typeof file !== "string" || !isSide(width) || !isSide(height)) return null;
  return { file, width, height };
}

function largeEnough(
  { id, segmentation, area }: Record<string, unknown>,
  { width, height }: CocoImage,
  leastShare: number,
  mostShare: number,
): Annotation | "tooSmall" | "tooLarge" | "damaged" {
  const said = typeof area === "number" && Number.isFinite(area) ? area / (width * height) : null;
  if (said !== null && said < DOUBT * leastShare) return "tooSmall";
  if (typeof segmentation !== "object" || segmentation === null) return "damaged";
  const annotation = { id: Number(id), segmentation: segmentation as Segmentation, width, height };
  try {
    const share = areaOf(rasterize(annotation.segmentation, width, height)) / (width * height);
    if (share <= leastShare) return "tooSmall";
    return share > mostShare ? "tooLarge" : annotation;
  } catch (error) {
    if (error instanceof InputError) return "damaged";
    throw error;
  }
}
