/** Binary cross entropy of probabilities, as PyTorch's `binary_cross_entropy`. */
import { type ApplyOptions, apply } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { elementLoss } from "../element_loss.js";

export const bceLossOps = elementLoss<object>("bce_loss", { kind: "cross_entropy", symmetric: false });

/**
 * The logarithms are taken as -100 at least, and y (1 - y) as 1e-12 at least in the gradient, so that both stay finite.
 * @param y probabilities in [0, 1]
 * @param target of the same shape, in [0, 1]; it takes no gradient
 * @returns [1]: the mean of -(target log y + (1 - target) log (1 - y)) over all elements
 */
export const bceLoss = (y: Tensor, target: Tensor, options?: ApplyOptions): Tensor =>
  apply(bceLossOps.op, [y, target], {}, options);
