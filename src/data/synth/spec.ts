/** What composites are made from, and how: all that a thread needs to make any of them by itself. */
import type { Segmentation } from "./coco_mask.js";

/** Photographs and masks of any kind; COCO's photographs and annotations; several renditions of each photograph. */
export type SourceKind = "photos" | "coco" | "pairs";

/**
 * The authors' way, that of HCOCO, or either. `varied`: both and single kinds of change besides, from full strength down to
 * none, and untouched pictures, so that a network learns when there is little or nothing to do.
 */
export const STYLES = ["mixed", "s-coco", "hcoco", "varied"] as const;
export type Style = (typeof STYLES)[number];

/** Silhouettes of cut-outs, areas of like colour in the photograph itself, random outlines. */
export const MASK_KINDS = ["cutouts", "regions", "shapes"] as const;
export type MaskKind = (typeof MASK_KINDS)[number];

export const SPLITS = ["train", "val"] as const;
export type Split = (typeof SPLITS)[number];

export interface Annotation {
  readonly id: number;
  readonly segmentation: Segmentation;
  readonly width: number;
  readonly height: number;
}

/** What a composite is made of: a photograph, one object of it, or its renditions. */
export interface Subject {
  /** Unique; begins with the photograph's file name. */
  readonly name: string;
  readonly split: Split;
  /** One photograph, or all renditions of it. */
  readonly files: readonly string[];
  /** COCO's. */
  readonly annotation?: Annotation;
}

export interface SynthSpec {
  readonly kind: SourceKind;
  readonly subjects: readonly Subject[];
  /** Cut-outs with an alpha channel. */
  readonly cutouts: readonly string[];
  /** Empty where masks come from annotations. */
  readonly masks: readonly MaskKind[];
  readonly style: Style;
  /** Side of the square pictures. */
  readonly size: number;
  /** Of the picture that the mask covers. */
  readonly leastShare: number;
  readonly mostShare: number;
  /** A random square of the photograph, flipped half of the time; else all of it, squeezed. */
  readonly crop: boolean;
}

export const DEFAULT_SHARES: Readonly<Record<SourceKind, readonly [least: number, most: number]>> = {
  photos: [0.02, 0.6],
  // The paper's: smaller objects make the prediction less consistent.
  coco: [0.15, 0.95],
  pairs: [0.02, 0.6],
};
