import type { Shape } from "../../graph/tensor.js";
import { at, defineSuite, type Fill, given, type HostArray, type OpCase, oracleOf } from "../suite.js";
import { type AdamAttrs, adamHyper, adamOp } from "./op.js";

const HYPER = adamHyper({ lr: 0.01, weightDecay: 0.1 }, 3);

/** The gate's scale lies in (0, 1). */
const row = (shape: Shape, decoupled: boolean, open = true, timed = false): OpCase<AdamAttrs> => {
  const gate: Fill = (unit, i) => (i === 0 ? unit : open ? 1 : 0);
  return {
    name: `${shape.join("x")}${decoupled ? "_decoupled" : ""}${open ? "" : "_shut"}`,
    shapes: [shape, shape, shape, shape, [HYPER.length], [2]],
    fill: ["signed", "signed", "signed", "unit", (unit, i) => at(HYPER, i) * (1 - unit / 64), gate],
    attrs: { decoupled },
    timed,
  };
};

/** Parameter and moments of element i after the step, and the absolute terms of each. */
function stepped(inputs: readonly (HostArray | null)[], i: number, decoupled: boolean) {
  const value = (which: number, index: number): number => at(given(inputs, which).data, index);
  const [param, m, v] = [value(0, i), value(2, i), value(3, i)];
  if (value(5, 1) === 0) return { values: [param, m, v], magnitudes: [0, 0, 0] };
  const hyper = (index: number): number => value(4, index);
  const [lr, beta1, beta2, eps, decay] = [hyper(0), hyper(1), hyper(2), hyper(3), hyper(4)];
  const [cut, pull] = [value(5, 0) * value(1, i), decoupled ? 0 : decay * param];
  const g = cut + pull;
  const mean = beta1 * m + (1 - beta1) * g;
  const square = beta2 * v + (1 - beta2) * g * g;
  const rate = lr / hyper(5) / (Math.sqrt(square / hyper(6)) + eps);
  const size = Math.abs(cut) + Math.abs(pull);
  const meanSize = Math.abs(m) + (1 - beta1) * (size + Math.abs(m));
  return {
    values: [param * (decoupled ? 1 - lr * decay : 1) - rate * mean, mean, square],
    magnitudes: [Math.abs(param) + rate * meanSize, meanSize, v + size * size],
  };
}

export const adamSuite = defineSuite<AdamAttrs>({
  op: adamOp,
  oracle(inputs, { decoupled }) {
    const { shape } = given(inputs, 0);
    return [0, 1, 2].map((output) =>
      oracleOf(shape, 4, (i) => {
        const { values, magnitudes } = stepped(inputs, i, decoupled);
        return [at(values, output), at(magnitudes, output)];
      }),
    );
  },
  cases: [
    row([1], false),
    row([3, 3, 5, 7], true),
    row([3, 1, 4, 8], false),
    row([1, 1, 16, 12], false, false),
    row([3, 3, 5, 7], false),
    row([37], true, false),
    row([3, 3, 256, 512], false, true, true),
  ],
  random: (draw) => row([draw(1, 5), draw(1, 5), draw(1, 20), draw(1, 20)], draw(0, 1) === 1, draw(0, 3) > 0),
});
