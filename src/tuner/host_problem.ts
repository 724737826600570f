/** A problem's inputs as random numbers in the storages where they lie, and what float64 says of sampled outputs. */
import type { TensorView } from "../graph/op.js";
import { sizeOf } from "../graph/tensor.js";
import { indicesToCheck } from "../kernels/check.js";
import { type AnySuite, fillArray, type HostArray, tolerance } from "../kernels/suite.js";
import type { TunableProblem } from "./problems.js";

/** One output element that is compared. */
export interface Sample {
  readonly output: number;
  readonly index: number;
  readonly storage: number;
  /** Element of the storage. */
  readonly at: number;
  readonly expected: number;
  readonly tolerance: number;
}

export interface HostProblem {
  /** What the storages hold that inputs lie in. */
  readonly storages: ReadonlyMap<number, Float32Array>;
  readonly samples: readonly Sample[];
}

/** Of each output; a sample of a large convolution costs the oracle thousands of terms. */
const SAMPLES = 64;

export function hostProblem({ key, problem, storageBytes }: TunableProblem, suite: AnySuite): HostProblem {
  for (const view of [...problem.inputs, ...problem.outputs]) {
    if (view && view.dtype !== "f32") throw new Error(`tune: no ${view.dtype} values can be written yet (${key})`);
  }
  const storages = new Map<number, Float32Array>();
  const contents = ({ storage }: TensorView): Float32Array => {
    const held = storages.get(storage) ?? new Float32Array((storageBytes.get(storage) ?? 0) / 4);
    storages.set(storage, held);
    return held;
  };
  const fills = fillsOf(suite, problem.inputs);
  problem.inputs.forEach((view, i) => {
    if (!view) return;
    const [held, { data }] = [contents(view), fillArray(view.shape, i + 1, fills[i])];
    for (let e = 0; e < data.length; e++) held[elementAt(view, e)] = data[e] ?? 0;
  });
  // Read back: two inputs may share elements.
  const inputs = problem.inputs.map((view) => view && readView(view, contents(view)));
  const samples = suite.oracle(inputs, problem.attrs).flatMap((oracle, output) => {
    const view = problem.outputs[output];
    if (!view) throw new Error(`${problem.op}: its oracle has more outputs than it`);
    return Array.from(indicesToCheck(sizeOf(view.shape), SAMPLES), (index): Sample => {
      const [expected, magnitude] = oracle.element(index);
      const place = { storage: view.storage, at: elementAt(view, index) };
      return { output, index, ...place, expected, tolerance: tolerance(oracle, magnitude) };
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
