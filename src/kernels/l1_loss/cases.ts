import { elementLossSuites } from "../element_loss_suites.js";
import { l1LossOps } from "./op.js";

export const [l1LossSuite, l1LossBackwardSuite] = elementLossSuites(l1LossOps, {
  value: (y, target) => [Math.abs(y - target), Math.abs(y) + Math.abs(target)],
  slope: (y, target) => [Math.sign(y - target), 1],
  draw: () => ({}),
});
