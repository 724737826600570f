/**
 * What an op is: shape inference, gradient, cost, and a list of variants in order of preference. A variant turns one
 * problem (shapes, views, attributes) into compute passes; the last variant of an op accepts every problem and is the
 * readable one.
 */
import type { AnyShader, Shader } from "../gpu/shader.js";
import {
  bytesOf,
  type DType,
  type GraphNode,
  newId,
  type Shape,
  showShape,
  type Tensor,
  type TensorSpec,
} from "./tensor.js";

/** Elements that the start of a part of a packed storage is a multiple of: WebGPU binds at multiples of 256 bytes. */
export const PART_ALIGNMENT = 64;

/** A tensor inside a storage: element (n, h, w, c) lies at base + ((n * H + h) * W + w) * pitch + offset + c. */
export interface TensorView extends TensorSpec {
  /** Elements from one pixel to the next; the channel count unless the tensor lies inside a concatenation. */
  readonly pitch: number;
  /** Elements before channel 0. */
  readonly offset: number;
  /** Which storage; equal for tensors that share memory. */
  readonly storage: number;
  /** Set where the values never change from run to run, so that what a variant repacks them into is made once. */
  readonly constant?: boolean;
  /** Elements before it where it is a part of a packed storage, bound by itself: kernels do not see it. Else null. */
  readonly base: number | null;
}

/** Memory that only the passes of one node see. */
export interface Scratch {
  readonly scratch: string;
  readonly bytes: number;
}

/** Bound where an optional operand is absent: a few zero bytes. */
export const NONE = { none: true } as const;
export type Operand = TensorView | Scratch | typeof NONE;

export const scratch = (label: string, elements: number, dtype: DType = "f32"): Scratch => ({
  scratch: label,
  bytes: elements * bytesOf(dtype),
});

export interface Pass {
  readonly shader: AnyShader;
  readonly bind: Readonly<Record<string, Operand>>;
  readonly overrides: Readonly<Record<string, number>>;
  readonly consts: Readonly<Record<string, number>>;
  readonly types: Readonly<Record<string, string>>;
  /** Values of the structs in the shader's uniforms. */
  readonly params: Readonly<Record<string, number>>;
  /** With `indirect`: at most. */
  readonly workgroups: readonly [number, number, number];
  /** Where an earlier pass of the node wrote how many workgroups there are: three u32 at `offset` bytes. */
  readonly indirect?: Indirect | undefined;
}

export interface Indirect {
  readonly sizes: Scratch;
  readonly offset: number;
}

export interface NodePlan {
  /** Passes that depend on constant inputs alone (repacked weights): run once when those inputs are constants. */
  readonly prepare?: readonly Pass[];
  readonly passes: readonly Pass[];
}

export interface Problem<Attrs> {
  readonly op: string;
  readonly attrs: Attrs;
  readonly inputs: readonly (TensorView | null)[];
  readonly outputs: readonly TensorView[];
}

/** What a variant may ask of the device. */
export interface Capabilities {
  readonly features: ReadonlySet<string>;
  readonly limits: GPUSupportedLimits;
  /** The one subgroup size of the device, 0 when it has none or several. */
  readonly subgroupSize: number;
  /** As WebGPU normalises them: "nvidia", "pascal"; empty or missing where they are withheld. */
  readonly vendor?: string;
  readonly architecture?: string;
  /** A CPU that poses as a GPU: barriers are slow there, loads dear and arithmetic cheap. */
  readonly software: boolean;
  /** Set where the caller asked for matrix units, and the device was found to have them. */
  readonly matrixUnits?: MatrixUnits | undefined;
}

/** A product that a subgroup of the device does at once: [m, k] of f16 by [k, n] of f16 gives [m, n] of f32. */
export interface MatrixUnits {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Threads of a subgroup. */
  readonly lanes: number;
}

export interface Variant<Attrs> {
  /** `direct`, `implicit_gemm`, ...; `op_name` is the shader's stem, the bench row and the GPU's debug label. */
  readonly name: string;
  readonly features: readonly GPUFeatureName[];
  /** Whether its tensors may be stored as f16; missing means that it takes f32 alone. */
  readonly f16?: boolean;
  /** Whether it computes this problem correctly. */
  accepts(problem: Problem<Attrs>, capabilities: Capabilities): boolean;
  /** Whether it is likely to be the fastest that accepts; missing means yes. */
  suits?(problem: Problem<Attrs>, capabilities: Capabilities): boolean;
  plan(problem: Problem<Attrs>, capabilities: Capabilities): NodePlan;
}

/**
 * How an op that moves no data places its tensors in one storage. Members of a concatenation and slices interleave by
 * channel; the parts of a pack lie one after the other and are bound by themselves.
 */
export type ViewKind = "concat" | "slice" | "reshape" | "pack" | "part";

export interface OpDefinition<Attrs> {
  readonly name: string;
  /** Output shapes, or a ShapeError that says what was expected. */
  infer(inputs: readonly (TensorSpec | null)[], attrs: Attrs): readonly TensorSpec[];
  /** Floating-point operations of the plain algorithm (a multiply-add is two). */
  flops(inputs: readonly (TensorSpec | null)[], outputs: readonly TensorSpec[], attrs: Attrs): number;
  /** Gradients of the inputs as graph nodes; null where an input takes none. */
  vjp?(context: VjpContext<Attrs>, dy: readonly (Tensor | null)[]): readonly (Tensor | null)[];
  /** Set for ops whose output is the same memory as their inputs. */
  readonly view?: ViewKind;
  /** For each output, the input (a variable) that it overwrites, or null. Such nodes run after all readers made before them. */
  readonly inPlace?: readonly (number | null)[];
  readonly variants: readonly Variant<Attrs>[];
}

export interface VjpContext<Attrs> {
  readonly inputs: readonly (Tensor | null)[];
  readonly outputs: readonly Tensor[];
  readonly attrs: Attrs;
  /** Which inputs a gradient is wanted for. */
  readonly needs: readonly boolean[];
  /**
   * Takes over the gradient that an input has from its other readers so far, or null: the gradient returned for it must
   * then be the sum. For ops whose gradients add it up as they are written, instead of a pass of its own.
   */
  claim(index: number): Tensor | null;
}

/** An op whose attribute type does not matter to the holder; `defineOp` is the only place that forgets it. */
export type AnyOp = OpDefinition<unknown>;

export const defineOp = <Attrs>(op: OpDefinition<Attrs>): OpDefinition<Attrs> => op;

export interface ApplyOptions {
  readonly name?: string;
  readonly variant?: string | undefined;
}

/** Adds a node to the graph. @returns its outputs */
export function applyAll<Attrs>(
  op: OpDefinition<Attrs>,
  inputs: readonly (Tensor | null)[],
  attrs: Attrs,
  options: ApplyOptions = {},
): readonly Tensor[] {
  const specs = op.infer(inputs, attrs);
  const outputs: Tensor[] = [];
  const node: GraphNode = { id: newId(), op: op as AnyOp, inputs, attrs, outputs, variant: options.variant };
  specs.forEach((spec, index) => {
    const name = options.name ?? `${op.name}${showShape(spec.shape)}`;
    outputs.push({ id: newId(), name, shape: spec.shape, dtype: spec.dtype, source: { kind: "node", node, index } });
  });
  return outputs;
}

/** `applyAll` for ops with one output. */
export function apply<Attrs>(
  op: OpDefinition<Attrs>,
  inputs: readonly (Tensor | null)[],
  attrs: Attrs,
  options: ApplyOptions = {},
): Tensor {
  const [output] = applyAll(op, inputs, attrs, options);
  if (!output) throw new Error(`${op.name}: an op needs an output`);
  return output;
}

/** A typed pass: the keys of `bind` and `overrides` are checked against the shader's own names. */
export function pass<
  R extends string,
  D extends string,
  C extends string,
  T extends string,
  B extends string,
  P extends string,
>(
  shader: Shader<R, D, C, T, B, P>,
  options: {
    readonly bind: Readonly<Record<B, Operand>>;
    readonly workgroups: readonly [number, number, number];
    readonly indirect?: Indirect | undefined;
    readonly consts?: Readonly<Partial<Record<C, number>>>;
    readonly types?: Readonly<Partial<Record<T, string>>>;
  } & ([R] extends [never]
    ? { readonly overrides?: Readonly<Partial<Record<D, number>>> }
    : { readonly overrides: Readonly<Record<R, number> & Partial<Record<D, number>>> }) &
    ([P] extends [never] ? object : { readonly params: Readonly<Record<P, number>> }),
): Pass {
  const plain = (record: Readonly<Record<string, unknown>> | undefined): Record<string, never> =>
    Object.fromEntries(Object.entries(record ?? {}).filter(([, value]) => value !== undefined)) as Record<
      string,
      never
    >;
  return {
    shader,
    bind: options.bind,
    overrides: plain(options.overrides),
    consts: plain(options.consts),
    types: plain(options.types),
    params: plain("params" in options ? (options.params as Readonly<Record<string, number>>) : undefined),
    workgroups: options.workgroups,
    indirect: options.indirect,
  };
}

/** The view of input `index`; a variant's own mistake when it is absent. */
export function operand(problem: Problem<unknown>, index: number): TensorView {
  const view = problem.inputs[index];
  if (!view) throw new Error(`${problem.op}: input ${index} is absent`);
  return view;
}

export function result(problem: Problem<unknown>, index = 0): TensorView {
  const view = problem.outputs[index];
  if (!view) throw new Error(`${problem.op}: output ${index} is absent`);
  return view;
}

export const ceilDiv = (a: number, b: number): number => Math.ceil(a / b);

/** Workgroups for a 1-D range that may pass 65,535: shaders read `index_1d()` of lib/index.wgsl. */
export function grid1d(groups: number): [number, number, number] {
  if (groups <= 65535) return [groups, 1, 1];
  const rows = ceilDiv(groups, 65535);
  return [ceilDiv(groups, rows), rows, 1];
}

export const shapeOf = (spec: TensorSpec | null | undefined): Shape => spec?.shape ?? [];

export const scratchOf = ({ bind, indirect }: Pass): Scratch[] => [
  ...Object.values(bind).filter((operand): operand is Scratch => "scratch" in operand),
  ...(indirect ? [indirect.sizes] : []),
];
export const viewsOf = (pass: Pass): TensorView[] =>
  Object.values(pass.bind).filter((operand): operand is TensorView => "storage" in operand);
