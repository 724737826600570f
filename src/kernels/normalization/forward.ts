/** Normalisation by statistics of the tensor itself: of the batch (batch norm) or of each image (instance norm). */
import { type Capabilities, NONE, type NodePlan, pass, scratch, type TensorView } from "../../graph/op.js";
import { norm_apply, norm_statistics, norm_statistics_join } from "../../shaders.generated.js";
import { type ActivationAttrs, activationOverrides } from "../activation.js";
import { type PixelSets, slicesToSum, slicesToWalk, sliceThreads } from "../pixel_slices.js";
import { type Lanes, threads, viewParams } from "../views.js";

export interface NormAttrs extends ActivationAttrs {
  /** Added to the variance; 1e-5 in PyTorch and here. */
  readonly eps?: number;
}

export const NORM_EPS = 1e-5;

/** [N, H, W, C] as sets of pixels: those of the batch together, or of each image. */
export function pixelSets([n = 1, h = 1, w = 1]: readonly number[], by: "batch" | "image"): PixelSets {
  return by === "batch" ? { sets: 1, setPixels: n * h * w } : { sets: n, setPixels: h * w };
}

export interface NormForward {
  readonly x: TensorView;
  readonly affine: { readonly weight: TensorView; readonly bias: TensorView } | null;
  readonly y: TensorView;
  /** [sets, C], or [C] of a single set. */
  readonly mean: TensorView;
  readonly variance: TensorView;
}

/** Operands that the shaders read or write as array<T>. */
export const normForwardVectors = ({ x, affine, y, mean, variance }: NormForward): TensorView[] => [
  x,
  y,
  mean,
  variance,
  ...(affine ? [affine.weight, affine.bias] : []),
];

export function planNormForward(
  { x, affine, y, mean, variance }: NormForward,
  pixels: PixelSets,
  attrs: NormAttrs,
  lanes: Lanes,
  capabilities: Capabilities,
): NodePlan {
  const c = x.shape[3] ?? 0;
  const { consts, types } = lanes;
  const summed = slicesToSum(pixels);
  const walked = slicesToWalk(pixels, capabilities);
  const partial = scratch("statistics of the slices", summed.sets * summed.slices * 2 * c);
  const statistics = pass(norm_statistics, {
    bind: { x, partial },
    params: { ...summed, c, ...viewParams("x", x) },
    consts,
    types,
    workgroups: sliceThreads(summed, c, lanes),
  });
  const join = pass(norm_statistics_join, {
    bind: { partial, mean, variance },
    params: { ...summed, c, ...viewParams("mean", mean), ...viewParams("variance", variance) },
    workgroups: threads(summed.sets * c),
  });
  const views = {
    ...viewParams("x", x),
    ...viewParams("mean", mean),
    ...viewParams("variance", variance),
    ...viewParams("y", y),
  };
  const apply = pass(norm_apply, {
    bind: { x, weight: affine?.weight ?? NONE, bias: affine?.bias ?? NONE, mean, variance, y },
    overrides: activationOverrides(attrs),
    params: { ...walked, c, affine: affine ? 1 : 0, eps: attrs.eps ?? NORM_EPS, ...views },
    consts,
    types,
    workgroups: sliceThreads(walked, c, lanes),
  });
  return { passes: [statistics, join, apply] };
}
