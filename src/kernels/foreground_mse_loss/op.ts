/** Squared error normalised by the foreground, as iS2AM trains: small objects weigh as much as large ones. */
import { InputError } from "../../errors.js";
import {
  type ApplyOptions,
  apply,
  applyAll,
  defineOp,
  operand,
  pass,
  result,
  scratch,
  shapeOf,
} from "../../graph/op.js";
import { nhwc, showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import {
  foreground_mse_loss,
  foreground_mse_loss_backward,
  foreground_mse_loss_join,
} from "../../shaders.generated.js";
import { expectShape, f32, present } from "../expect.js";
import { partsOf } from "../reduction.js";
import { threads } from "../views.js";

export interface ForegroundMseLossAttrs {
  /** Pixels of foreground that an image is taken to have at least; iS2AM's 1000 are for 256 x 256. */
  readonly minArea: number;
  /**
   * Above 0: an image's error e counts as `knee ln(1 + e / knee)`, which is e where e is far below the knee and grows with e's
   * logarithm, as PSNR does, where it is far above; the gradient is divided by `1 + e / knee`. 0 (the default): e itself.
   */
  readonly knee?: number;
}

export const foregroundMseLossBackwardOp = defineOp<object>({
  name: "foreground_mse_loss_backward",
  infer([y, target, weight, dloss]) {
    const shape = present("foreground_mse_loss_backward", "y", y);
    const [n] = nhwc("foreground_mse_loss_backward", "y", shape);
    expectShape("foreground_mse_loss_backward", "target", target, shape, `y ${showShape(shape)}`);
    expectShape("foreground_mse_loss_backward", "weight", weight, [n], `y ${showShape(shape)}`);
    expectShape("foreground_mse_loss_backward", "the loss's gradient", dloss, [1], "a loss of one value");
    return f32(shape);
  },
  flops: ([y]) => 3 * sizeOf(shapeOf(y)),
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan(p) {
        const [y, wanted, weight, dloss, dy] = [operand(p, 0), operand(p, 1), operand(p, 2), operand(p, 3), result(p)];
        const [, h, w, c] = nhwc("foreground_mse_loss_backward", "y", y.shape);
        const size = sizeOf(y.shape);
        const params = {
          size,
          image: h * w * c,
          c,
          y_pitch: y.pitch,
          y_offset: y.offset,
          target_pitch: wanted.pitch,
          target_offset: wanted.offset,
          weight_offset: weight.offset,
          dloss_offset: dloss.offset,
          dy_pitch: dy.pitch,
          dy_offset: dy.offset,
        };
        const bind = { y, wanted, weight, dloss, dy };
        return { passes: [pass(foreground_mse_loss_backward, { bind, params, workgroups: threads(size) })] };
      },
    },
  ],
});

/** Outputs: the loss [1], and its derivative by the sum of an image's squared errors [N], for the gradient. */
export const foregroundMseLossOp = defineOp<ForegroundMseLossAttrs>({
  name: "foreground_mse_loss",
  infer([y, target, mask], { minArea, knee = 0 }) {
    const shape = present("foreground_mse_loss", "y", y);
    const [n, h, w] = nhwc("foreground_mse_loss", "y", shape);
    expectShape("foreground_mse_loss", "target", target, shape, `y ${showShape(shape)}`);
    expectShape("foreground_mse_loss", "mask", mask, [n, h, w, 1], `y ${showShape(shape)}`);
    if (!(minArea > 0 && Number.isFinite(minArea))) {
      throw new InputError(`foreground_mse_loss: minArea must be above 0 pixels, got ${minArea}`);
    }
    if (!(knee >= 0 && Number.isFinite(knee))) {
      throw new InputError(`foreground_mse_loss: knee must be 0 or an error above it, got ${knee}`);
    }
    return [...f32([1]), ...f32([n])];
  },
  flops: ([y]) => 3 * sizeOf(shapeOf(y)),
  vjp({ inputs: [y, target, mask], outputs: [, weight], needs }, [dloss]) {
    if (!y || !target || !mask || !weight || !dloss) return [];
    if (needs[2]) throw new Error("foreground_mse_loss has no gradient by the mask");
    const by = (of: Tensor, other: Tensor): Tensor =>
      apply(foregroundMseLossBackwardOp, [of, other, weight, dloss], {});
    return [needs[0] ? by(y, target) : null, needs[1] ? by(target, y) : null];
  },
  variants: [
    {
      name: "direct",
      features: [],
      accepts: () => true,
      plan(p) {
        const [y, wanted, mask] = [operand(p, 0), operand(p, 1), operand(p, 2)];
        const [loss, weight] = [result(p, 0), result(p, 1)];
        const [images, h, w, c] = nhwc("foreground_mse_loss", "y", y.shape);
        const parts = partsOf(h * w);
        const partial = scratch("errors and foregrounds of parts", 2 * images * parts);
        const sum = pass(foreground_mse_loss, {
          bind: { y, wanted, mask, partial },
          params: {
            images,
            pixels: h * w,
            c,
            y_pitch: y.pitch,
            y_offset: y.offset,
            target_pitch: wanted.pitch,
            target_offset: wanted.offset,
            mask_pitch: mask.pitch,
            mask_offset: mask.offset,
            parts,
          },
          workgroups: threads(images * parts),
        });
        const join = pass(foreground_mse_loss_join, {
          bind: { partial, loss, weight },
          params: {
            images,
            parts,
            c,
            min_area: p.attrs.minArea,
            knee: p.attrs.knee ?? 0,
            loss_offset: loss.offset,
            weight_offset: weight.offset,
          },
          workgroups: [1, 1, 1],
        });
        return { passes: [sum, join] };
      },
    },
  ],
});

/**
 * The mean over the batch of: the squared error summed over an image, divided by C max(minArea, sum of its mask). The error
 * counts outside the mask too, as in iS2AM's MaskWeightedMSE. With a full mask it is the mean squared error. With a `knee` what
 * is averaged is the error's logarithm where it is large, so that a picture nearly right weighs as much as one far off.
 * @param y, target [N, H, W, C]
 * @param mask [N, H, W, 1] in [0, 1]; it takes no gradient
 * @returns [1]
 */
export function foregroundMseLoss(
  y: Tensor,
  target: Tensor,
  mask: Tensor,
  attrs: ForegroundMseLossAttrs,
  options?: ApplyOptions,
): Tensor {
  const [loss] = applyAll(foregroundMseLossOp, [y, target, mask], attrs, options);
  if (!loss) throw new Error("foreground_mse_loss: an op needs an output");
  return loss;
}
