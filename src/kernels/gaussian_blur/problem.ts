/** What the blur and its gradient ask of their operand. */
import { ShapeError } from "../../errors.js";
import { shapeOf } from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type TensorSpec } from "../../graph/tensor.js";
import { f32, present } from "../expect.js";
import { BLUR_RADIUS, type BlurKernel } from "./taps.js";

export interface GaussianBlurAttrs {
  readonly kernel: BlurKernel;
}

/** @returns the output's spec, which is the operand's @throws ShapeError */
export function checkBlurred(
  op: string,
  what: string,
  spec: TensorSpec | null | undefined,
  kernel: BlurKernel,
): readonly [TensorSpec] {
  const shape = present(op, what, spec);
  const [, h, w, c] = nhwc(op, what, shape);
  const radius = BLUR_RADIUS[kernel];
  if (c !== 1) throw new ShapeError(`${op}: ${what} must have one channel, got ${showShape(shape)}`);
  if (Math.min(h, w) <= radius) {
    const size = 2 * radius + 1;
    throw new ShapeError(
      `${op}: the ${size}x${size} kernel mirrors ${radius} pixels, so both sides need at least ${radius + 1}, ` +
        `got ${showShape(shape)}: use a larger image`,
    );
  }
  return f32(shape);
}

export const flopsOfBlur = ([x]: readonly (TensorSpec | null)[], _: unknown, { kernel }: GaussianBlurAttrs): number =>
  2 * (2 * BLUR_RADIUS[kernel] + 1) ** 2 * sizeOf(shapeOf(x));
