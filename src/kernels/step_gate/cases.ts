import { at, defineSuite, type Fill, given, type OpCase, oracleOf } from "../suite.js";
import { stepGateOp } from "./op.js";

/** Norms that some clip and some do not; every third case, a value that is not finite. */
const row = (tensors: number, finite: boolean): OpCase<object> => {
  const statistics: Fill = (unit, i) => (i % 2 === 0 ? unit : finite ? 0 : Math.round(unit));
  return {
    name: `${tensors}${finite ? "" : "_broken"}`,
    shapes: [[2 * tensors], [8]],
    attrs: {},
    fill: [statistics, (unit) => 4 * unit],
  };
};

export const stepGateSuite = defineSuite<object>({
  op: stepGateOp,
  oracle(inputs) {
    const [statistics, hyper] = [given(inputs, 0).data, given(inputs, 1).data];
    const total = (first: number): number =>
      statistics.reduce((sum, value, i) => sum + (i % 2 === first ? value : 0), 0);
    const clipNorm = at(hyper, 7);
    const scale = clipNorm > 0 ? Math.min(1, clipNorm / (Math.sqrt(total(0)) + 1e-6)) : 1;
    const gate = total(1) === 0 ? [scale, 1] : [0, 0];
    return [oracleOf([2], statistics.length, (i) => [at(gate, i), at(gate, i)])];
  },
  cases: [row(1, true), row(2, true), row(7, true), row(7, false), row(150, true), row(150, false)],
  random: (draw) => row(draw(1, 200), draw(0, 2) > 0),
});
