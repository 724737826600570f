/** Mean squared error, as PyTorch's `mse_loss`. */
import { type ApplyOptions, apply } from "../../graph/op.js";
import type { Tensor } from "../../graph/tensor.js";
import { elementLoss } from "../element_loss.js";

export const mseLossOps = elementLoss<object>("mse_loss", { kind: "squared", symmetric: true });

/**
 * @param y, target of one shape
 * @returns [1]: the mean of (y - target)^2 over all elements
 */
export const mseLoss = (y: Tensor, target: Tensor, options?: ApplyOptions): Tensor =>
  apply(mseLossOps.op, [y, target], {}, options);
