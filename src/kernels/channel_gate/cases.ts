import { nhwc } from "../../graph/tensor.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { channelGateOp } from "./op.js";

const row = (n: number, h: number, w: number, c: number, timed = false): OpCase<object> => ({
  name: `${n}x${h}x${w}x${c}`,
  shapes: [
    [n, h, w, c],
    [n, c],
  ],
  attrs: {},
  timed,
});

export const channelGateSuite = defineSuite<object>({
  op: channelGateOp,
  oracle(inputs) {
    const [x, g] = [given(inputs, 0), given(inputs, 1)];
    const [, h, w, c] = nhwc("oracle", "x", x.shape);
    const element = (i: number) => {
      const value = at(x.data, i) * at(g.data, Math.floor(i / (h * w * c)) * c + (i % c));
      return [value, Math.abs(value)] as const;
    };
    return [oracleOf(x.shape, 1, element)];
  },
  cases: [
    row(1, 1, 1, 1),
    row(2, 3, 5, 7),
    row(1, 8, 8, 16),
    row(3, 5, 4, 12),
    row(1, 128, 128, 128, true),
    row(1, 64, 64, 256, true),
    row(1, 32, 32, 512, true),
  ],
  f16: [{ name: "f16", inputs: [0] }],
  random: (draw) => row(draw(1, 3), draw(1, 9), draw(1, 9), draw(0, 1) === 0 ? 4 * draw(1, 6) : draw(1, 19)),
});
