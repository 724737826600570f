import { elementLossSuites } from "../element_loss_suites.js";
import { lsganLabel, lsganLossOps } from "./op.js";

export const [lsganLossSuite, lsganLossBackwardSuite] = elementLossSuites(lsganLossOps, {
  value: (y, label) => [(y - label) ** 2, (Math.abs(y) + label) ** 2],
  slope: (y, label) => [2 * (y - label), 2 * (Math.abs(y) + label)],
  label: lsganLabel,
  draw: (draw) => ({ real: draw(0, 1) === 1 }),
});
