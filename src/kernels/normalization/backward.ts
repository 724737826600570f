/**
 * Gradient of a normalisation by the tensor's own statistics. With z = xhat * weight + bias, xhat = (x - mean) / sigma,
 * dz = dy * f'(z), and n pixels:
 *
 *   dbias = sum dz,  dweight = sum dz xhat,  dx = weight / sigma * (dz - dbias / n - xhat * dweight / n)
 *
 * and where the mean and the variance have gradients of their own, dx grows by dmean / n + dvariance * 2 (x - mean) / n.
 */
import {
  type Capabilities,
  NONE,
  type NodePlan,
  type Operand,
  pass,
  scratch,
  type TensorView,
} from "../../graph/op.js";
import { norm_backward_apply, norm_backward_join, norm_backward_sums } from "../../shaders.generated.js";
import { activationOverrides } from "../activation.js";
import { type PixelSets, slicesToSum, slicesToWalk, sliceThreads } from "../pixel_slices.js";
import { type Lanes, threads, viewParams } from "../views.js";
import { NORM_EPS, type NormAttrs } from "./forward.js";

export interface NormBackward {
  readonly dy: TensorView;
  readonly x: TensorView;
  /** The parameters with where their gradients go, or null. */
  readonly affine: {
    readonly weight: TensorView;
    readonly bias: TensorView;
    readonly dWeight: TensorView;
    readonly dBias: TensorView;
  } | null;
  /** [sets, C], or [C] of a single set. */
  readonly mean: TensorView;
  readonly variance: TensorView;
  readonly dMean: TensorView | null;
  readonly dVariance: TensorView | null;
  readonly dx: TensorView;
}

/** Operands that the shaders read or write as array<T>. */
export const normBackwardVectors = ({ dy, x, affine, mean, variance, dx }: NormBackward): TensorView[] => [
  dy,
  x,
  mean,
  variance,
  dx,
  ...(affine ? [affine.weight, affine.bias] : []),
];

export function planNormBackward(
  { dy, x, affine, mean, variance, dMean, dVariance, dx }: NormBackward,
  pixels: PixelSets,
  attrs: NormAttrs,
  lanes: Lanes,
  capabilities: Capabilities,
): NodePlan {
  const c = x.shape[3] ?? 0;
  const summed = slicesToSum(pixels);
  const walked = slicesToWalk(pixels, capabilities);
  const { sets } = summed;
  const weight: Operand = affine?.weight ?? NONE;
  const bias: Operand = affine?.bias ?? NONE;
  const shared = { c, affine: affine ? 1 : 0 };
  const eps = attrs.eps ?? NORM_EPS;
  const lane = { consts: lanes.consts, types: lanes.types, overrides: activationOverrides(attrs) };
  const inputs = { ...viewParams("dy", dy), ...viewParams("x", x), ...viewParams("mean", mean) };
  const partial = scratch("sums of the slices", sets * summed.slices * 2 * c);
  const coefficients = scratch("coefficients of dx", sets * 3 * c);

  const sums = pass(norm_backward_sums, {
    ...lane,
    bind: { dy, x, weight, bias, mean, variance, partial },
    params: { ...summed, ...shared, eps, ...inputs, ...viewParams("variance", variance) },
    workgroups: sliceThreads(summed, c, lanes),
  });
  const join = pass(norm_backward_join, {
    bind: {
      partial,
      weight,
      variance,
      d_mean: dMean ?? NONE,
      d_variance: dVariance ?? NONE,
      d_weight: affine?.dWeight ?? scratch("sums of dz * xhat", sets * c),
      d_bias: affine?.dBias ?? scratch("sums of dz", sets * c),
      coefficients,
    },
    params: {
      ...summed,
      ...shared,
      eps,
      ...viewParams("variance", variance),
      has_d_mean: dMean ? 1 : 0,
      ...viewParams("d_mean", dMean),
      has_d_variance: dVariance ? 1 : 0,
      ...viewParams("d_variance", dVariance),
      d_weight_offset: affine?.dWeight.offset ?? 0,
      d_bias_offset: affine?.dBias.offset ?? 0,
    },
    workgroups: threads(sets * c),
  });
  const apply = pass(norm_backward_apply, {
    ...lane,
    bind: { dy, x, bias, mean, coefficients, dx },
    params: { ...walked, ...shared, ...inputs, ...viewParams("dx", dx) },
    workgroups: sliceThreads(walked, c, lanes),
  });
  return { passes: [sums, join, apply] };
}
