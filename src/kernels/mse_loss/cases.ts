import { elementLossSuites } from "../element_loss_suites.js";
import { mseLossOps } from "./op.js";

export const [mseLossSuite, mseLossBackwardSuite] = elementLossSuites(mseLossOps, {
  value: (y, target) => [(y - target) ** 2, (Math.abs(y) + Math.abs(target)) ** 2],
  slope: (y, target) => [2 * (y - target), 2 * (Math.abs(y) + Math.abs(target))],
  draw: () => ({}),
});
