/** What the paper reports on S-COCO at 256 x 256, to be shown beside what is measured here. */
import type { Variant } from "./variants.js";

export interface PaperRow {
  /** Decibels. */
  readonly psnr: number;
  readonly ssim: number;
  /** As its code computes it: squares of bytes that wrap at 256. */
  readonly mse: number;
}

/** Table 1: composites as they are. */
export const PAPER_COMPOSITES: PaperRow = { psnr: 26.62, ssim: 0.9469, mse: 25.94 };

/** Table 1. */
const WHOLE: Readonly<Record<Variant["arch"], PaperRow>> = {
  unet: { psnr: 33.55, ssim: 0.9757, mse: 17.28 },
  s2asc: { psnr: 34.74, ssim: 0.9784, mse: 15.59 },
  s2ad: { psnr: 35.23, ssim: 0.979, mse: 14.88 },
};

/** Table 1, "+ pp": S2AD's output with the composite put back outside the mask, which was measured of it alone. */
const PASTED: Partial<Record<Variant["arch"], PaperRow>> = { s2ad: { psnr: 35.38, ssim: 0.9811, mse: 14.26 } };

/** Table 4: ablations of S2ASC, by the parts left out. Its whole network's SSIM is another than Table 1's. */
export const PAPER_ABLATED_ARCH = "s2asc";
export const PAPER_ABLATION_BASE: PaperRow = { psnr: 34.74, ssim: 0.979, mse: 15.59 };
const ABLATIONS: Readonly<Record<string, PaperRow>> = {
  gates: { psnr: 33.32, ssim: 0.9758, mse: 17.93 },
  mixed: { psnr: 34.49, ssim: 0.9779, mse: 15.8 },
  blur: { psnr: 34.72, ssim: 0.9788, mse: 15.67 },
  learned: { psnr: 34.73, ssim: 0.9781, mse: 15.49 },
};

/** @returns null where the paper has no such network */
export function paperRow({ arch, without, levels }: Variant, pasted: boolean): PaperRow | null {
  if (without.length > 0 || levels !== undefined) return null;
  return (pasted ? PASTED[arch] : WHOLE[arch]) ?? null;
}

/** @returns null for ablations that the paper has not made */
export const paperAblation = ({ without, levels }: Variant): PaperRow | null =>
  levels === undefined ? (ABLATIONS[without.join("+")] ?? null) : null;
