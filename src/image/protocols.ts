/**
 * How the field measures, under the names its systems are known by. Results of different protocols cannot be compared: a
 * peak of the picture's own range instead of 255, or another filter, moves the PSNR by more than a better network does.
 * All of them look at 256 x 256 pixels of 8 bits, aspect not kept. Another size makes them protocols of another name: for
 * comparing networks that were trained at that size with each other, and with nothing else.
 */
import { type FloatImage, fromFloat, toFloatRgb } from "./float.js";
import { dropAlpha, grayToRgb, type Image, to8Bit } from "./image.js";
import type { Mask } from "./mask.js";
import { foregroundMse, mse, psnrOfMse, ssim } from "./metrics.js";
import { BICUBIC, BILINEAR, BILINEAR_ALIASED, resize, resizeNearest } from "./resize.js";
import { resize8Bit } from "./resize_8bit.js";

export const PROTOCOLS = ["default", "iharmony4", "idih", "paper"] as const;
export type ProtocolName = (typeof PROTOCOLS)[number];

/** Side of the square pictures that the protocols compare. */
export const PROTOCOL_SIZE = 256;

/** Equal pictures have no finite PSNR; with this one, better than any that differ, means stay finite. */
export const MAX_PSNR = 100;

export interface PictureMetrics {
  readonly mse: number;
  /** Decibels, at most `MAX_PSNR`. */
  readonly psnr: number;
  /** Over the foreground; NaN where the protocol's mask is empty. */
  readonly fmse: number;
  readonly fpsnr: number;
  readonly ssim: number;
  /** `paper` alone: the error as its authors' code computes it, squares of bytes that wrap at 256. */
  readonly wrappedMse?: number;
}

export interface Protocol {
  /** What it does, for people to see beside the figures. */
  readonly description: string;
  /** A picture as 8-bit RGB of the protocol's size. */
  readonly picture: (image: Image) => Image;
  readonly mask: (mask: Mask) => Mask;
  /** What PSNR takes for the largest value. */
  readonly peak: (output: Image, target: Image) => number;
  /** Added to errors before their logarithm, and to the foreground's area. */
  readonly epsilon: number;
  readonly wrapped: boolean;
}

const rgb = (image: Image): Image => {
  const { width, height, data } = grayToRgb(dropAlpha(to8Bit(image)));
  return { width, height, channels: 3, depth: 8, data };
};
const pillow =
  (size: number, filter: typeof BILINEAR) =>
  (image: Image): Image =>
    resize8Bit(rgb(image), size, size, filter);
const soft =
  (size: number, filter: typeof BILINEAR) =>
  (mask: Mask): Mask =>
    resize(mask, size, size, filter);

function range({ data }: Image): { least: number; most: number } {
  let [least, most] = [255, 0];
  for (const value of data) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}

const defaultAt = (size: number): Protocol => ({
  description: `${size} x ${size} bilinear; peak 255; the foreground weighted by the mask`,
  picture: pillow(size, BILINEAR),
  mask: soft(size, BILINEAR),
  peak: () => 255,
  epsilon: 0,
  wrapped: false,
});

const TABLE: Readonly<Record<ProtocolName, (size: number) => Protocol>> = {
  default: defaultAt,
  // evaluation.py of the iHarmony4 dataset: Pillow forces masks of one bit to the nearest pixel.
  iharmony4: (size) => ({
    ...defaultAt(size),
    description: `${size} x ${size} bicubic, mask of 0 and 1; peak: largest less smallest value of the output`,
    picture: pillow(size, BICUBIC),
    mask: (mask) => resizeNearest({ ...mask, data: mask.data.map(Math.round) }, size, size),
    peak: (output) => {
      const { least, most } = range(output);
      return most - least;
    },
  }),
  // iDIH, and what follows it: OpenCV's INTER_LINEAR, which takes two pixels a side however much it reduces.
  idih: (size) => ({
    ...defaultAt(size),
    description: `${size} x ${size} bilinear without antialiasing; peak: the target's largest value; the foreground weighted by the mask`,
    picture: (image) => fromFloat(resize(toFloatRgb(rgb(image)), size, size, BILINEAR_ALIASED)),
    mask: soft(size, BILINEAR_ALIASED),
    peak: (_, target) => range(target).most,
    epsilon: 1e-6,
  }),
  paper: (size) => ({
    ...defaultAt(size),
    description: `${size} x ${size} bilinear; peak 255; beside the true MSE the one of the authors' code, whose squares wrap at 256`,
    wrapped: true,
  }),
};

/** @param size side of the square pictures that are compared, at least 7 */
export const protocolOf = (name: ProtocolName, size = PROTOCOL_SIZE): Protocol => TABLE[name](size);

/** @param output, target, mask as `protocol.picture` and `protocol.mask` made them */
export function measure(protocol: Protocol, output: Image, target: Image, mask: Mask): PictureMetrics {
  const { epsilon } = protocol;
  const peak = protocol.peak(output, target);
  const decibels = (error: number): number => Math.min(MAX_PSNR, psnrOfMse(error + epsilon, peak));
  const whole = mse(output, target);
  const weight = 3 * mask.data.reduce((sum, value) => sum + value, 0);
  const fmse = (foregroundMse(output, target, mask) * weight) / (weight + epsilon);
  return {
    mse: whole,
    psnr: decibels(whole),
    fmse,
    fpsnr: decibels(fmse),
    ssim: ssim(output, target),
    ...(protocol.wrapped && { wrappedMse: wrappedMse(output, target) }),
  };
}

/** `np.mean((a - b) ** 2)` of uint8 arrays: differences and squares are taken modulo 256. */
function wrappedMse(a: Image, b: Image): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (((a.data[i] as number) - (b.data[i] as number)) ** 2) & 255;
  return sum / a.data.length;
}

/** Share of the picture that the mask covers, 0 to 1. */
export const foregroundShare = ({ data }: FloatImage<1>): number =>
  data.reduce((sum, value) => sum + value, 0) / data.length;
