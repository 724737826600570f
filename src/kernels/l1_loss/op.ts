/** Mean absolute error, as PyTorch's `l1_loss`. */
import { type ApplyOptions, apply } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { elementLoss } from "../element_loss.js";

export const l1LossOps = elementLoss<object>("l1_loss", { kind: "absolute", symmetric: true });

/**
 * Where y equals the target the gradient is 0.
 * @param y, target of one shape
 * @returns [1]: the mean of |y - target| over all elements
 */
export const l1Loss = (y: Tensor, target: Tensor, options?: ApplyOptions): Tensor =>
  apply(l1LossOps.op, [y, target], {}, options);
