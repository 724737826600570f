/** Least-squares loss of a discriminator, or of the generator that means to deceive it. */
import { type ApplyOptions, apply } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { elementLoss } from "../element_loss.js";

export interface LsganLossAttrs {
  /** Whether y should be 1 (real, or to be taken for real) or 0. */
  readonly real: boolean;
}

/** What y should be. */
export const lsganLabel = ({ real }: LsganLossAttrs): number => (real ? 1 : 0);

export const lsganLossOps = elementLoss<LsganLossAttrs>("lsgan_loss", {
  kind: "squared",
  label: lsganLabel,
  symmetric: false,
});

/**
 * @param y scores of any shape, as the discriminator gives them
 * @returns [1]: the mean of (y - 1)^2 or of y^2 over all elements, without the factor 1/2 that some write
 */
export const lsganLoss = (y: Tensor, attrs: LsganLossAttrs, options?: ApplyOptions): Tensor =>
  apply(lsganLossOps.op, [y], attrs, options);
