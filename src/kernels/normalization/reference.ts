/** The float64 oracles of normalisations and their gradients. */
import { sizeOf } from "../../graph/tensor.js";
import { activate, activationError } from "../activation.js";
import { activationDerivative } from "../activation_backward/reference.js";
import { at, type HostArray, type Oracle, oracleOf } from "../suite.js";
import { NORM_EPS, type NormAttrs, pixelSets } from "./forward.js";

type By = "batch" | "image";

/** Sums over pixels count as few terms: the kernels' are of slices and centred, and err by little more than a rounding. */
const TERMS = 4;

/** The pixels of [N, H, W, C] as the statistics see them. */
function indexing({ shape }: HostArray, by: By) {
  const c = shape[3] ?? 1;
  const { sets, setPixels } = pixelSets(shape, by);
  return {
    c,
    sets,
    setPixels,
    /** Which mean an element has, and its channel. */
    statisticOf: (i: number) => Math.floor(i / (c * setPixels)) * c + (i % c),
    /** Elements of statistic s. */
    elementsOf: (s: number) =>
      Array.from({ length: setPixels }, (_, pixel) => (Math.floor(s / c) * setPixels + pixel) * c + (s % c)),
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** @returns y, mean, variance; the statistics are [C] of a batch and [N, C] of images */
export function normForwardOracle(
  x: HostArray,
  affine: { readonly weight: HostArray; readonly bias: HostArray } | null,
  by: By,
  attrs: NormAttrs,
): readonly Oracle[] {
  const { c, sets, setPixels, statisticOf, elementsOf } = indexing(x, by);
  const eps = Math.fround(attrs.eps ?? NORM_EPS);
  const statistics = Array.from({ length: sets * c }, (_, s) => {
    const values = elementsOf(s).map((i) => at(x.data, i));
    const mean = sum(values) / setPixels;
    return {
      mean,
      variance: sum(values.map((value) => (value - mean) ** 2)) / setPixels,
      largest: Math.max(...values.map(Math.abs)),
    };
  });
  const of = (s: number) => statistics[s] ?? { mean: Number.NaN, variance: Number.NaN, largest: Number.NaN };
  const y = (i: number) => {
    const { mean, variance } = of(statisticOf(i));
    const scale = (affine ? at(affine.weight.data, i % c) : 1) / Math.sqrt(variance + eps);
    const shift = affine ? at(affine.bias.data, i % c) : 0;
    const magnitude = (Math.abs(at(x.data, i)) + Math.abs(mean)) * Math.abs(scale) + Math.abs(shift);
    return [activate((at(x.data, i) - mean) * scale + shift, attrs), magnitude] as const;
  };
  const shape = by === "batch" ? [c] : [sets, c];
  return [
    oracleOf(x.shape, TERMS, y, activationError(attrs)),
    oracleOf(shape, TERMS, (s) => [of(s).mean, of(s).largest]),
    oracleOf(shape, TERMS, (s) => [of(s).variance, of(s).variance + Math.sqrt(of(s).variance) * of(s).largest]),
  ];
}

export interface NormBackwardArrays {
  readonly dy: HostArray;
  readonly x: HostArray;
  readonly affine: { readonly weight: HostArray; readonly bias: HostArray } | null;
  readonly mean: HostArray;
  readonly variance: HostArray;
  readonly dMean: HostArray | null;
  readonly dVariance: HostArray | null;
}

/** @returns dx, and of affine ones dWeight and dBias */
export function normBackwardOracle(
  { dy, x, affine, mean, variance, dMean, dVariance }: NormBackwardArrays,
  by: By,
  attrs: NormAttrs,
): readonly Oracle[] {
  const { c, setPixels, statisticOf, elementsOf } = indexing(x, by);
  const eps = Math.fround(attrs.eps ?? NORM_EPS);
  const inverseOf = (s: number) => 1 / Math.sqrt(at(variance.data, s) + eps);
  const weightOf = (s: number) => (affine ? at(affine.weight.data, s % c) : 1);
  const elements = Array.from({ length: sizeOf(x.shape) }, (_, i) => {
    const s = statisticOf(i);
    const xhat = (at(x.data, i) - at(mean.data, s)) * inverseOf(s);
    const z = xhat * weightOf(s) + (affine ? at(affine.bias.data, i % c) : 0);
    const dz = at(dy.data, i) * activationDerivative(activate(z, attrs), attrs);
    // xhat as float32 knows it: its error is that of x and the mean.
    const bound = (Math.abs(at(x.data, i)) + Math.abs(at(mean.data, s))) * inverseOf(s) + 1;
    return { dz, xhat, bound, term: Math.abs(at(dy.data, i)) * bound };
  });
  const of = (i: number) => elements[i] ?? { dz: Number.NaN, xhat: Number.NaN, bound: Number.NaN, term: Number.NaN };
  const sums = Array.from({ length: mean.data.length }, (_, s) => {
    const mine = elementsOf(s).map(of);
    return {
      dz: sum(mine.map(({ dz }) => dz)),
      dzXhat: sum(mine.map(({ dz, xhat }) => dz * xhat)),
      size: sum(mine.map(({ term }) => term)),
    };
  });
  const sumsOf = (s: number) => sums[s] ?? { dz: Number.NaN, dzXhat: Number.NaN, size: Number.NaN };
  const dx = (i: number) => {
    const s = statisticOf(i);
    const [{ dz, xhat, bound, term }, total, inverse] = [of(i), sumsOf(s), inverseOf(s)];
    const own = weightOf(s) * inverse * (dz - total.dz / setPixels - (xhat * total.dzXhat) / setPixels);
    const ofMean = (dMean ? at(dMean.data, s) : 0) / setPixels;
    const ofVariance = ((dVariance ? at(dVariance.data, s) : 0) * 2 * (at(x.data, i) - at(mean.data, s))) / setPixels;
    const magnitude = Math.abs(weightOf(s)) * inverse * (term + (bound * total.size) / setPixels);
    return [
      own + ofMean + ofVariance,
      magnitude + Math.abs(ofMean) + Math.abs(ofVariance) + bound / setPixels,
    ] as const;
  };
  const outputs = [oracleOf(x.shape, TERMS, dx)];
  if (!affine) return outputs;
  return [
    ...outputs,
    oracleOf([c], TERMS, (s) => [sumsOf(s).dzXhat, sumsOf(s).size]),
    oracleOf([c], TERMS, (s) => [sumsOf(s).dz, sumsOf(s).size]),
  ];
}
