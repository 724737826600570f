import { nhwc, sizeOf } from "../../graph/tensor.js";
import { at, defineSuite, type Fill, given, type HostArray, type OpCase, oracleOf } from "../suite.js";
import { type ForegroundMseLossAttrs, foregroundMseLossBackwardOp, foregroundMseLossOp } from "./op.js";

type Case = OpCase<ForegroundMseLossAttrs>;

const row = (
  n: number,
  h: number,
  w: number,
  c: number,
  minArea: number,
  timed = false,
  mask: Fill = "binary",
  knee = 0,
): Case => ({
  name: `${n}x${h}x${w}x${c}_${minArea}${knee ? `_knee${knee}` : ""}`,
  shapes: [
    [n, h, w, c],
    [n, h, w, c],
    [n, h, w, 1],
  ],
  fill: ["signed", "signed", mask],
  attrs: knee ? { minArea, knee } : { minArea },
  timed,
});

/** Squared error of image n, and what bounds its float32 error. */
function errorOf(y: HostArray, target: HostArray, image: number, size: number): readonly [number, number] {
  let [sum, magnitude] = [0, 0];
  for (let i = image * size; i < (image + 1) * size; i++) {
    const [a, b] = [at(y.data, i), at(target.data, i)];
    sum += (a - b) ** 2;
    magnitude += (Math.abs(a) + Math.abs(b)) ** 2;
  }
  return [sum, magnitude];
}

export const foregroundMseLossSuite = defineSuite<ForegroundMseLossAttrs>({
  op: foregroundMseLossOp,
  oracle(inputs, { minArea, knee = 0 }) {
    const [y, target, mask] = [given(inputs, 0), given(inputs, 1), given(inputs, 2)];
    const [n, h, w, c] = nhwc("oracle", "y", y.shape);
    const images = Array.from({ length: n }, (_, image) => {
      const area = mask.data.subarray(image * h * w, (image + 1) * h * w).reduce((sum, value) => sum + value, 0);
      const share = 1 / (c * Math.max(minArea, area));
      const [sum, magnitude] = errorOf(y, target, image, h * w * c);
      const [error, bound] = [share * sum, share * magnitude];
      if (!knee) return { loss: error, bound, weight: share, weightBound: share };
      // Both are smooth in the error: an error's error counts by the derivative, at most 1 for the loss.
      const slope = 1 / (1 + error / knee);
      const [loss, weight] = [knee * Math.log1p(error / knee), share * slope];
      return { loss, bound: bound + loss, weight, weightBound: weight * (1 + (slope * bound) / knee) };
    });
    const loss = (): readonly [number, number] => [
      images.reduce((total, image) => total + image.loss / n, 0),
      images.reduce((total, image) => total + image.bound / n, 0),
    ];
    const terms = h * w * c + n;
    const weight = (i: number): readonly [number, number] => {
      const image = images[i];
      return image ? [image.weight / n, image.weightBound / n] : [Number.NaN, 0];
    };
    return [oracleOf([1], terms, loss), oracleOf([n], knee ? terms : h * w, weight)];
  },
  cases: [
    row(1, 1, 1, 1, 1),
    row(2, 3, 5, 3, 4),
    row(3, 7, 6, 3, 1000),
    row(2, 8, 8, 2, 9.5, false, "unit"),
    row(2, 3, 5, 3, 4, false, "binary", 0.5),
    row(3, 7, 6, 3, 20, false, "unit", 0.01),
    row(4, 256, 256, 3, 1000, true),
  ],
  gradient: { inputs: [0, 1], outputs: [0] },
  random: (draw) => row(draw(1, 4), draw(1, 9), draw(1, 9), draw(1, 4), draw(1, 60), false, "binary", draw(0, 2) / 4),
});

const backwardRow = (n: number, h: number, w: number, c: number, timed = false): OpCase<object> => ({
  name: `${n}x${h}x${w}x${c}`,
  shapes: [[n, h, w, c], [n, h, w, c], [n], [1]],
  fill: ["signed", "signed", "unit", "signed"],
  attrs: {},
  timed,
});

export const foregroundMseLossBackwardSuite = defineSuite<object>({
  op: foregroundMseLossBackwardOp,
  oracle(inputs) {
    const [y, target, weight, dloss] = [given(inputs, 0), given(inputs, 1), given(inputs, 2), given(inputs, 3)];
    const image = sizeOf(y.shape) / (y.shape[0] ?? 1);
    const element = (i: number): readonly [number, number] => {
      const factor = 2 * at(dloss.data, 0) * at(weight.data, Math.floor(i / image));
      const [a, b] = [at(y.data, i), at(target.data, i)];
      return [factor * (a - b), Math.abs(factor) * (Math.abs(a) + Math.abs(b))];
    };
    return [oracleOf(y.shape, 4, element)];
  },
  cases: [backwardRow(1, 1, 1, 1), backwardRow(2, 3, 5, 3), backwardRow(3, 7, 6, 4), backwardRow(4, 256, 256, 3, true)],
  random: (draw) => backwardRow(draw(1, 4), draw(1, 9), draw(1, 9), draw(1, 4)),
});
