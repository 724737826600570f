import { elementLossSuites } from "../element_loss_suites.js";
import { bceLossOps } from "./op.js";

const boundedLog = (p: number): number => Math.max(Math.log(p), -100);

export const [bceLossSuite, bceLossBackwardSuite] = elementLossSuites(bceLossOps, {
  value(y, target) {
    const [right, wrong] = [target * boundedLog(y), (1 - target) * boundedLog(1 - y)];
    return [-(right + wrong), Math.abs(right) + Math.abs(wrong)];
  },
  slope(y, target) {
    const rate = 1 / Math.max(y * (1 - y), 1e-12);
    return [(y - target) * rate, (y + target) * rate];
  },
  draw: () => ({}),
  // Clear of 0 and 1, where finite differences are no measure.
  fill: (unit) => 0.05 + 0.9 * unit,
  // WGSL's log may err by 2^-21 near 1.
  extra: 2 ** -20,
  gradient: { inputs: [0] },
});
