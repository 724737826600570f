/** The pixel losses that a training can be asked for, on a network's output. */
import type { Tensor } from "../graph/tensor.js";
import { foregroundMseLoss } from "../kernels/foreground_mse_loss/op.js";
import { l1Loss } from "../kernels/l1_loss/op.js";
import { mseLoss } from "../kernels/mse_loss/op.js";
import { slice } from "../kernels/slice/op.js";

/**
 * `mse`: the paper's. `l1`. `fn_mse`: foreground-normalised, as iS2AM trains. `fn_log`: the logarithm of a picture's
 * foreground-normalised error, as PSNR measures it, so that pictures nearly right are not outweighed by those far off.
 */
export const LOSSES = ["mse", "l1", "fn_mse", "fn_log"] as const;
export type LossName = (typeof LOSSES)[number];

/** iS2AM's least foreground, 1000 pixels at 256 x 256, as a share of the picture. */
const MIN_FOREGROUND = 1000 / 256 ** 2;

/** `fn_log` counts errors below this one (33 dB) about as they are, so that a picture already right has no endless pull. */
const KNEE = 5e-4;

/**
 * @param y, target [N, H, W, 3]
 * @param x the network's input, whose fourth channel is the mask
 * @returns [1]
 */
export function lossOf(name: LossName, y: Tensor, target: Tensor, x: Tensor): Tensor {
  if (name === "mse") return mseLoss(y, target);
  if (name === "l1") return l1Loss(y, target);
  const [, h = 0, w = 0] = y.shape;
  const mask = slice(x, { start: 3, length: 1 });
  const knee = name === "fn_log" ? KNEE : 0;
  return foregroundMseLoss(y, target, mask, { minArea: MIN_FOREGROUND * h * w, knee });
}
