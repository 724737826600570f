/** Symbolic tensors: what the functions of `src/kernels` take and return. No GPU is touched until `compile()`. */
import { ShapeError } from "../errors.js";
import type { AnyOp } from "./op.js";

/** How elements are stored. Arithmetic is f32 either way. */
export type DType = "f32" | "f16";
export const DTYPES = ["f32", "f16"] as const satisfies readonly DType[];
export const bytesOf = (dtype: DType): number => (dtype === "f16" ? 2 : 4);
/** Activations are [N, H, W, C]; convolution weights [R, S, C_in, C_out]. */
export type Shape = readonly number[];

export interface TensorSpec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Values that live as long as the graph that uses them: weights, tables. Shared by every plan compiled from them. */
export interface ConstantSource {
  readonly name: string;
  /** Elements in the layout that the shape says. Called when a plan needs them on the GPU. */
  load(): Float32Array;
}

/** Values that runs change in place: parameters, optimizer state, running statistics. They live in the runtime. */
export interface Variable {
  readonly name: string;
  readonly shape: Shape;
  /** The values it starts from. */
  initial(): Float32Array;
}

export interface Tensor extends TensorSpec {
  readonly id: number;
  readonly name: string;
  /** Where the values come from: a node's output, a run's input, or a constant. */
  readonly source:
    | { readonly kind: "node"; readonly node: GraphNode; readonly index: number }
    | { readonly kind: "input" }
    | { readonly kind: "constant"; readonly constant: ConstantSource }
    | { readonly kind: "variable"; readonly variable: Variable };
}

export interface GraphNode {
  readonly id: number;
  readonly op: AnyOp;
  readonly inputs: readonly (Tensor | null)[];
  readonly attrs: unknown;
  readonly outputs: readonly Tensor[];
  /** Forces a variant by name; a variant that cannot run throws. */
  readonly variant: string | undefined;
}

let nextId = 0;
/** Ids grow in order of creation, so sorting by id is a topological order. */
export const newId = (): number => nextId++;

/** The ids of what `build` made: [from, to). */
export interface IdRange {
  readonly from: number;
  readonly to: number;
}

export function idsOf<T>(build: () => T): { value: T; ids: IdRange } {
  const from = nextId;
  const value = build();
  return { value, ids: { from, to: nextId } };
}

export const sizeOf = (shape: Shape): number => shape.reduce((product, length) => product * length, 1);
export const showShape = (shape: Shape): string => `[${shape.join(",")}]`;
export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((length, i) => length === b[i]);

/** A tensor whose values `run()` is given under `name`. */
export function input(name: string, shape: Shape, dtype: DType = "f32"): Tensor {
  checkShape(name, shape);
  return { id: newId(), name, shape, dtype, source: { kind: "input" } };
}

/** A tensor whose values are fixed. */
export function constant(
  name: string,
  shape: Shape,
  load: Float32Array | (() => Float32Array),
  dtype: DType = "f32",
): Tensor {
  return constantFrom({ name, load: typeof load === "function" ? load : () => load }, shape, dtype);
}

/**
 * A tensor of a source that other graphs use too: plans share its memory.
 * @param dtype f16 rounds the values when they are uploaded; one that f16 cannot hold is an InputError then
 */
export function constantFrom(source: ConstantSource, shape: Shape, dtype: DType = "f32"): Tensor {
  checkShape(source.name, shape);
  return { id: newId(), name: source.name, shape, dtype, source: { kind: "constant", constant: source } };
}

/** A tensor whose values persist from run to run, and which ops with `inPlace` outputs update. */
export function variable(name: string, shape: Shape, initial: () => Float32Array): Tensor {
  checkShape(name, shape);
  return { id: newId(), name, shape, dtype: "f32", source: { kind: "variable", variable: { name, shape, initial } } };
}

function checkShape(name: string, shape: Shape): void {
  if (shape.length === 0 || shape.some((length) => !Number.isInteger(length) || length < 1)) {
    throw new ShapeError(`${name}: a shape needs one or more positive integers, got ${showShape(shape)}`);
  }
}

/** [N, H, W, C] of an activation, or a ShapeError that names the op. */
export function nhwc(op: string, what: string, shape: Shape): readonly [n: number, h: number, w: number, c: number] {
  const [n, h, w, c] = shape;
  if (shape.length !== 4 || n === undefined || h === undefined || w === undefined || c === undefined) {
    throw new ShapeError(`${op}: ${what} must be [N,H,W,C], got ${showShape(shape)}`);
  }
  return [n, h, w, c];
}
