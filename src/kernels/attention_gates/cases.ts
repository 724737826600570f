import { nhwc } from "../../graph/tensor.js";
import { activationError } from "../activation.js";
import { defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { attentionGatesOp } from "./op.js";
import { GATES, gateSize, packedShape } from "./packing.js";
import { gateOf, type Measured, pool, unitsOf } from "./reference.js";

interface RowOptions {
  readonly timed?: boolean;
  /** Many pixels share the largest value. */
  readonly ties?: boolean;
}

function row(
  [n, h, w, channels]: readonly [number, number, number, number],
  units: number,
  { timed = false, ties = false }: RowOptions = {},
): OpCase<object> {
  return {
    name: `${n}x${h}x${w}x${channels}_u${units}${ties ? "_ties" : ""}`,
    fill: [ties ? "binary" : "signed"],
    shapes: [[n, h, w, channels], packedShape({ channels, units })],
    attrs: {},
    timed,
  };
}

export const attentionGatesSuite = defineSuite<object>({
  op: attentionGatesOp,
  oracle(inputs) {
    const [x, packed] = [given(inputs, 0), given(inputs, 1)];
    const [n, h, w, c] = nhwc("oracle", "x", x.shape);
    const size = gateSize("oracle", c, packed.shape);
    const images = Array.from({ length: n }, (_, image) => {
      const found = Array.from({ length: c }, (_, channel) => pool(x, image, channel));
      const pooled = [...found.map(({ average }) => average), ...found.map(({ largest }) => largest)];
      const gates = Array.from({ length: GATES }, (_, gate) => unitsOf(pooled, packed, gate, size));
      return { firsts: found.map(({ first }) => first), pooled, units: gates };
    });
    const none = { firsts: [], pooled: [], units: [] };
    const of = (i: number, width: number) => images[Math.floor(i / width)] ?? none;
    const gate = (i: number, width: number, which: number): Measured =>
      gateOf(of(i, width).units[which] ?? [], packed, which, i % c, size);
    const unknown: Measured = [Number.NaN, Number.NaN];
    const terms = h * w + 2 * c + size.units + 2;
    const extra = activationError({ activation: "sigmoid" });
    return [
      oracleOf([n, c], terms, (i) => gate(i, c, 0), extra),
      oracleOf([n, 2 * c], terms, (i) => gate(i, 2 * c, 1 + (Math.floor(i / c) % 2)), extra),
      oracleOf([n, 2 * c], h * w, (i) => of(i, 2 * c).pooled[i % (2 * c)] ?? unknown),
      oracleOf([n, GATES * size.units], terms, (i) => {
        const unit = i % (GATES * size.units);
        return of(i, GATES * size.units).units[Math.floor(unit / size.units)]?.[unit % size.units] ?? unknown;
      }),
      oracleOf([n, c], 1, (i) => [of(i, c).firsts[i % c] ?? Number.NaN, 0]),
    ];
  },
  gradient: { outputs: [0, 1], terms: 30, smooth: ({ fill }) => fill?.[0] !== "binary" },
  cases: [
    row([1, 1, 1, 1], 1),
    row([2, 3, 5, 7], 2),
    row([1, 8, 8, 16], 1),
    row([3, 5, 4, 40], 5),
    row([1, 4, 4, 70], 65),
    row([1, 2, 3, 100], 12),
    row([2, 9, 5, 8], 2, { ties: true }),
    row([1, 128, 128, 128], 8, { timed: true }),
    row([1, 64, 64, 256], 16, { timed: true }),
    row([1, 32, 32, 512], 32, { timed: true }),
  ],
  f16: [{ name: "f16", inputs: [0] }],
  random: (draw) =>
    row([draw(1, 3), draw(1, 9), draw(1, 9), draw(0, 1) === 0 ? 4 * draw(1, 9) : draw(1, 70)], draw(1, 9)),
});
