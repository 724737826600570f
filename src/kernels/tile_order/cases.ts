import { at, defineSuite, type Fill, given, type OpCase, oracleOf } from "../suite.js";
import { tileCount, tileOrderOp } from "./op.js";

/** Zeros but for a share of the pixels. */
const sparse =
  (share: number): Fill =>
  (unit) =>
    unit < share ? unit + 0.1 : 0;

const row = (
  [n, h, w]: readonly [number, number, number],
  share: number,
  timed = false,
): OpCase<Record<string, never>> => ({
  name: `${n}x${h}x${w}x1_${100 * share}%`,
  shapes: [[n, h, w, 1]],
  attrs: {},
  fill: [sparse(share)],
  timed,
});

export const tileOrderSuite = defineSuite<Record<string, never>>({
  op: tileOrderOp,
  oracle(inputs) {
    const { shape, data } = given(inputs, 0);
    const [n = 0, h = 0, w = 0] = shape;
    const { high, wide, size } = tileCount(shape);
    const holds = (image: number, row: number, column: number): boolean => {
      if (row < 0 || column < 0 || row >= high || column >= wide) return false;
      for (let y = 4 * row; y < Math.min(h, 4 * row + 4); y++)
        for (let x = 4 * column; x < Math.min(w, 4 * column + 4); x++)
          if (at(data, (image * h + y) * w + x) !== 0) return true;
      return false;
    };
    const orderOf = (reach: number) => {
      const tiles = Array.from({ length: n * high * wide }, (_, tile) => tile);
      const isNeeded = (tile: number): boolean => {
        const [image, row, column] = [Math.floor(tile / (high * wide)), Math.floor(tile / wide) % high, tile % wide];
        for (let r = -reach; r <= reach; r++)
          for (let c = -reach; c <= reach; c++) if (holds(image, row + r, column + c)) return true;
        return false;
      };
      const needed = tiles.filter(isNeeded);
      const values = [needed.length, ...needed, ...tiles.filter((tile) => !isNeeded(tile))];
      return oracleOf([1 + size], 0, (i) => [at(values, i), 0]);
    };
    return [orderOf(0), orderOf(1)];
  },
  gradient: { inputs: [] },
  cases: [
    row([1, 1, 1], 1),
    row([1, 4, 4], 0),
    row([2, 9, 7], 0.1),
    row([1, 50, 70], 0.01),
    row([3, 24, 20], 0.03),
    row([1, 33, 34], 1),
    row([1, 128, 128], 0.01, true),
  ],
  random: (draw) => row([draw(1, 3), draw(1, 60), draw(1, 60)], draw(0, 4) / 40),
});
