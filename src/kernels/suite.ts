/**
 * What tests and bench need of an op beside its variants: a float64 oracle and a table of cases. One table feeds the
 * check of every variant, the gradient check (small rows) and the timing (rows marked `timed`).
 */
import { float16ToFloat32, float32ToFloat16 } from "../float16.js";
import type { AnyOp, OpDefinition } from "../graph/op.js";
import { type DType, type Shape, sizeOf } from "../graph/tensor.js";
import { mulberry32 } from "../random.js";

export interface HostArray {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** An output as float64 computes it, an element at a time, with what its float32 error is measured by. */
export interface Oracle {
  readonly shape: Shape;
  /**
   * The element's value, and the sum of the absolute values of its terms; Infinity where it may hold anything. Lazy, so that
   * large outputs can be sampled.
   */
  readonly element: (index: number) => readonly [value: number, magnitude: number];
  /** Terms of the longest sum. */
  readonly terms: number;
  /** Error beside that of the sum, e.g. of exp. */
  readonly extra: number;
}

/** How an input is filled: (-1, 1), [0, 1), {0, 1}, or from a number in [0, 1) and the element's index. */
export type Fill = "signed" | "unit" | "binary" | ((unit: number, index: number) => number);

export interface OpCase<Attrs> {
  /** `1x64x128x128_k3s1p1`: what the bench prints. */
  readonly name: string;
  /** Of the inputs; null where an optional one is absent. */
  readonly shapes: readonly (Shape | null)[];
  readonly attrs: Attrs;
  /** Missing means all signed. */
  readonly fill?: readonly Fill[];
  /** How the inputs are stored; missing means as f32. */
  readonly stored?: readonly DType[];
  /** Large rows, timed by the bench and left out of the tests. */
  readonly timed?: boolean;
}

/** Draws an integer, both ends included. */
export type Draw = (min: number, max: number) => number;

/** A way in which an op's tensors may be stored as f16: every row of its table is also run in it. */
export interface F16Form<Attrs> {
  readonly name: string;
  /** The inputs that are. */
  readonly inputs: readonly number[];
  readonly attrs?: Partial<Attrs>;
}

export interface OpSuite<Attrs> {
  readonly op: OpDefinition<Attrs>;
  oracle(inputs: readonly (HostArray | null)[], attrs: Attrs): readonly Oracle[];
  readonly cases: readonly OpCase<Attrs>[];
  /** How the gradient check treats the op; missing means every input, in rows of moderate size. */
  readonly gradient?: {
    /** The inputs that have a gradient. */
    readonly inputs?: readonly number[];
    /** The outputs that are differentiated; missing means all. Others serve the gradient alone. */
    readonly outputs?: readonly number[];
    /** Terms of an output's sum, to keep the check's cost down. */
    readonly terms?: number;
    /** Whether differences can be taken at a row's values; missing means of every row. */
    smooth?(row: OpCase<Attrs>): boolean;
  };
  /** Missing means that the op takes f32 alone. */
  readonly f16?: readonly F16Form<Attrs>[];
  /** A random small case: ones, primes, sizes off the tiles, paddings, strides. */
  random(draw: Draw): OpCase<Attrs>;
}

/** A suite whose attribute type does not matter to the holder. */
export interface AnySuite extends Omit<OpSuite<unknown>, "op"> {
  readonly op: AnyOp;
}

export const defineSuite = <Attrs>(suite: OpSuite<Attrs>): AnySuite => suite as AnySuite;

const EPSILON = 2 ** -24;

/** 8 * 2^-24 * sqrt(K) * sum of absolute terms + 1e-7: the bound that every f32 variant keeps, element by element. */
export const tolerance = ({ terms, extra }: Oracle, magnitude: number): number =>
  8 * EPSILON * Math.sqrt(terms) * magnitude + extra + 1e-7;

const F16_EPSILON = 2 ** -11;
const F16_SMALLEST_NORMAL = 2 ** -14;

/**
 * The bound of a result that is stored as f16. Inputs are numbers that f16 holds, products and sums are f32's, so before it
 * is stored the result keeps the f32 bound E; and nothing on the way (tiles in workgroup memory) holds more bits than it
 * came with. Storing rounds a number of at most |y| + E to 11 bits: by at most 2^-11 of it. Below the normal numbers an adapter may
 * round in steps of 2^-24 or flush to zero.
 */
export function f16Tolerance(oracle: Oracle, expected: number, magnitude: number): number {
  const error = tolerance(oracle, magnitude);
  const stored = Math.abs(expected) + error;
  const flushed = Math.abs(expected) - error < F16_SMALLEST_NORMAL ? Math.min(stored, F16_SMALLEST_NORMAL) : 0;
  return error + Math.max(F16_EPSILON * stored, flushed);
}

/** A row in each of the forms in which its op takes f16. */
export const f16Rows = ({ f16 = [] }: AnySuite, row: OpCase<unknown>): OpCase<unknown>[] =>
  f16.map(({ name, inputs, attrs }) => ({
    ...row,
    name: `${row.name}_${name}`,
    attrs: { ...(row.attrs as object), ...attrs },
    stored: row.shapes.map((_, i) => (inputs.includes(i) ? "f16" : "f32")),
  }));

/** The nearest values that f16 holds; its subnormals, which adapters may flush, become zeros. */
export function roundToF16({ shape, data }: HostArray): HostArray {
  const rounded = float16ToFloat32(float32ToFloat16(Float32Array.from(data)));
  return { shape, data: Float64Array.from(rounded, (value) => (Math.abs(value) < F16_SMALLEST_NORMAL ? 0 : value)) };
}

/** Seeded values that float32 holds exactly, so that oracle and GPU start from the same numbers. */
export function fillArray(shape: Shape, seed: number, fill: Fill = "signed"): HostArray {
  const data = new Float64Array(sizeOf(shape));
  const random = mulberry32(seed);
  for (let i = 0; i < data.length; i++) {
    data[i] = Math.fround(filled(fill, random(), i));
  }
  return { shape, data };
}

function filled(fill: Fill, unit: number, index: number): number {
  if (typeof fill === "function") return fill(unit, index);
  return fill === "signed" ? 2 * unit - 1 : fill === "unit" ? unit : Math.round(unit);
}

/** `array[index]` for the oracles' loops, checked. */
export function at(array: ArrayLike<number>, index: number): number {
  const value = array[index];
  if (value === undefined) throw new RangeError(`index ${index} is outside an array of ${array.length}`);
  return value;
}

/** The array of input `index`. */
export function given(inputs: readonly (HostArray | null)[], index: number): HostArray {
  const array = inputs[index];
  if (!array) throw new Error(`oracle: input ${index} is absent`);
  return array;
}

/** An oracle; `terms` and `extra` as in `Oracle`. */
export const oracleOf = (shape: Shape, terms: number, element: Oracle["element"], extra = 0): Oracle => ({
  shape,
  element,
  terms,
  extra,
});
