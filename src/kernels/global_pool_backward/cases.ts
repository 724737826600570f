import { at, defineSuite, type Fill, given, type OpCase, oracleOf } from "../suite.js";
import { type GlobalPoolBackwardAttrs, globalPoolBackwardOp } from "./op.js";

function row(
  [n, height, width, c]: readonly [number, number, number, number],
  { timed = false, adds = false } = {},
): OpCase<GlobalPoolBackwardAttrs> {
  const pixel: Fill = (unit) => Math.floor(unit * height * width);
  return {
    name: `${n}x${height}x${width}x${c}${adds ? "_adds" : ""}`,
    shapes: [[n, 2 * c], [n, c], ...(adds ? [[n, height, width, c]] : [])],
    attrs: { height, width },
    fill: ["signed", pixel],
    timed,
  };
}

export const globalPoolBackwardSuite = defineSuite<GlobalPoolBackwardAttrs>({
  op: globalPoolBackwardOp,
  oracle(inputs, { height, width }) {
    const [dy, first] = [given(inputs, 0), given(inputs, 1)];
    const [n = 0, c = 0] = first.shape;
    const pixels = height * width;
    const element = (i: number) => {
      const [image, pixel, channel] = [Math.floor(i / (pixels * c)), Math.floor(i / c) % pixels, i % c];
      const average = at(dy.data, image * 2 * c + channel) / pixels;
      const maximum = pixel === at(first.data, image * c + channel) ? at(dy.data, (image * 2 + 1) * c + channel) : 0;
      const addend = inputs[2] ? at(inputs[2].data, i) : 0;
      return [average + maximum + addend, Math.abs(average) + Math.abs(maximum) + Math.abs(addend)] as const;
    };
    return [oracleOf([n, height, width, c], 3, element)];
  },
  cases: [
    row([1, 1, 1, 1]),
    row([2, 3, 5, 7]),
    row([2, 9, 11, 8]),
    row([3, 4, 4, 12]),
    row([2, 5, 4, 8], { adds: true }),
    row([4, 64, 64, 32], { timed: true }),
    row([4, 32, 32, 64], { timed: true }),
  ],
  random: (draw) =>
    row([draw(1, 3), draw(1, 13), draw(1, 13), draw(0, 1) === 0 ? 4 * draw(1, 9) : draw(1, 19)], {
      adds: draw(0, 1) === 0,
    }),
});
