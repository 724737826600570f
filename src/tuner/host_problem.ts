/** A problem's inputs as random numbers in the storages where they lie, and what float64 says of sampled outputs. */
import type { TensorView } from "../graph/op.js";
import { bytesOf, type DType, sizeOf } from "../graph/tensor.js";
import { indicesToCheck } from "../kernels/check.js";
import { type AnySuite, f16Tolerance, fillArray, type HostArray, roundToF16, tolerance } from "../kernels/suite.js";
import type { TunableProblem } from "./problems.js";

/** One output element that is compared. */
export interface Sample {
  readonly output: number;
  readonly index: number;
  readonly storage: number;
  /** Element of the storage. */
  readonly at: number;
  readonly dtype: DType;
  readonly expected: number;
  readonly tolerance: number;
}

/** All views of a storage have its dtype. */
export interface HostStorage {
  readonly values: Float32Array;
  readonly dtype: DType;
}

export interface HostProblem {
  /** What the storages hold that inputs lie in. */
  readonly storages: ReadonlyMap<number, HostStorage>;
  readonly samples: readonly Sample[];
}

/** Of each output; a sample of a large convolution costs the oracle thousands of terms. */
const SAMPLES = 64;

export function hostProblem({ problem, storageBytes }: TunableProblem, suite: AnySuite): HostProblem {
  const storages = new Map<number, HostStorage>();
  const contents = ({ storage, dtype }: TensorView): Float32Array => {
    const elements = (storageBytes.get(storage) ?? 0) / bytesOf(dtype);
    const held = storages.get(storage) ?? { values: new Float32Array(elements), dtype };
    storages.set(storage, held);
    return held.values;
  };
  const fills = fillsOf(suite, problem.inputs);
  problem.inputs.forEach((view, i) => {
    if (!view) return;
    const drawn = fillArray(view.shape, i + 1, fills[i]);
    const [held, { data }] = [contents(view), view.dtype === "f16" ? roundToF16(drawn) : drawn];
    for (let e = 0; e < data.length; e++) held[elementAt(view, e)] = data[e] ?? 0;
  });
  // Read back: two inputs may share elements.
  const inputs = problem.inputs.map((view) => view && readView(view, contents(view)));
  const samples = suite.oracle(inputs, problem.attrs).flatMap((oracle, output) => {
    const view = problem.outputs[output];
    if (!view) throw new Error(`${problem.op}: its oracle has more outputs than it`);
    return Array.from(indicesToCheck(sizeOf(view.shape), SAMPLES)).flatMap((index): Sample | [] => {
      const [expected, magnitude] = oracle.element(index);
      if (magnitude === Number.POSITIVE_INFINITY) return [];
      const place = { storage: view.storage, at: elementAt(view, index), dtype: view.dtype };
      const allowed = view.dtype === "f16" ? f16Tolerance(oracle, expected, magnitude) : tolerance(oracle, magnitude);
      return { output, index, ...place, expected, tolerance: allowed };
    });
  });
  return { storages, samples };
}

/** How the op's own cases fill inputs like these: variances positive, masks from 0 to 1. */
function fillsOf({ cases }: AnySuite, inputs: readonly (TensorView | null)[]) {
  const alike = cases.find(({ shapes }) => inputs.every((view, i) => Boolean(view) === Boolean(shapes[i])));
  return (alike ?? cases[0])?.fill ?? [];
}

/** Where element `index` of a view lies in its storage. */
function elementAt({ shape, pitch, offset, base }: TensorView, index: number): number {
  const channels = shape.at(-1) ?? 1;
  return (base ?? 0) + Math.floor(index / channels) * pitch + offset + (index % channels);
}

function readView(view: TensorView, storage: Float32Array): HostArray {
  const data = new Float64Array(sizeOf(view.shape));
  for (let e = 0; e < data.length; e++) data[e] = storage[elementAt(view, e)] ?? 0;
  return { shape: view.shape, data };
}
