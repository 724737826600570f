/**
 * Gradients of an op on the GPU against float64 finite differences of its oracle. The differences are taken of the
 * oracle, not of the GPU, so that the tolerance stays tight: central differences with step h err by about h^2 f''' / 6
 * from the cut series and 2^-53 |f| / h from rounding; at h = 2^-13 both are far below the 1e-4 that is asked for.
 */
import { gradients } from "../../src/autograd/backward.js";
import { compile } from "../../src/graph/compile.js";
import { applyAll } from "../../src/graph/op.js";
import type { Runtime } from "../../src/graph/runtime.js";
import { input, sizeOf, type Tensor } from "../../src/graph/tensor.js";
import { type AnySuite, fillArray, type HostArray, type OpCase } from "../../src/kernels/suite.js";

const STEP = 2 ** -13;
/** Finite differences cost two oracles an element: rows up to this many elements times outputs are checked. */
const MAX_WORK = 4e5;
/** What a gradient may be off by. */
export const RELATIVE = 1e-4;

export interface GradientError {
  readonly input: number;
  /** |gpu - expected| / |expected|, both as Euclidean norms over the input's gradient. */
  readonly relative: number;
}

/** The suite's cases that differences are taken of; none where the op has no gradient. */
export const gradientRows = ({ op, cases, gradient }: AnySuite): OpCase<unknown>[] =>
  cases.filter((row) => {
    if (!op.vjp || row.timed || gradient?.inputs?.length === 0 || gradient?.smooth?.(row) === false) return false;
    const specs = op.infer(
      row.shapes.map((shape) => shape && { shape, dtype: "f32" }),
      row.attrs,
    );
    const inputs = row.shapes.reduce((sum, shape) => sum + (shape ? sizeOf(shape) : 0), 0);
    const outputs = specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    return inputs * outputs * (gradient?.terms ?? 1) <= MAX_WORK;
  });

/** Indices of the inputs that have a gradient. */
export const differentiableInputs = ({ gradient }: AnySuite, { shapes }: OpCase<unknown>): number[] =>
  (gradient?.inputs ?? [...shapes.keys()]).filter((i) => shapes[i]);

/**
 * @param differentiable indices of the inputs to check; others are given as they are
 * @param values of the inputs. A kink within a step of the differences would count as an error: rows fill their inputs away from
 *   kinks, or their suite leaves them out (`gradient.smooth`)
 */
export async function checkGradient(
  runtime: Runtime,
  suite: AnySuite,
  row: OpCase<unknown>,
  values: readonly (HostArray | null)[],
  differentiable: readonly number[],
): Promise<GradientError[]> {
  const tensors = values.map((value, i) => value && input(`${i}`, value.shape));
  const outputs = applyAll(suite.op, tensors, row.attrs);
  const seeds = new Map<Tensor, Tensor>();
  const dy = outputs.map((output, o) => {
    if (suite.gradient?.outputs?.includes(o) === false) return null;
    seeds.set(output, input(`dy${o}`, output.shape));
    return fillArray(output.shape, 77 + o);
  });
  const wrt = differentiable
    .map((i) => tensors[i])
    .filter((tensor): tensor is Tensor => tensor !== null && tensor !== undefined);
  const found = gradients(seeds, wrt);
  const plan = await compile(
    runtime,
    Object.fromEntries(wrt.map((tensor) => [tensor.name, found.get(tensor) as Tensor])),
  );
  const feed = Object.fromEntries([
    ...values.flatMap((value, i) => (value ? [[`${i}`, Float32Array.from(value.data)] as const] : [])),
    ...dy.flatMap((value, o) => (value ? [[`dy${o}`, Float32Array.from(value.data)] as const] : [])),
  ]);
  const gpu = (await plan.run(feed)).outputs;
  await plan.dispose();
  /** sum over outputs of dy * y */
  const project = (): number =>
    suite.oracle(values, row.attrs).reduce((total, oracle, o) => {
      const along = dy[o]?.data ?? [];
      for (let i = 0; i < along.length; i++) total += (along[i] ?? 0) * oracle.element(i)[0];
      return total;
    }, 0);
  return differentiable.map((index) => {
    const data = values[index]?.data ?? new Float64Array(0);
    const got = gpu[`${index}`] ?? new Float32Array(0);
    let [error, norm] = [0, 0];
    for (let i = 0; i < data.length; i++) {
      const kept = data[i] ?? 0;
      data[i] = kept + STEP;
      const above = project();
      data[i] = kept - STEP;
      const below = project();
      data[i] = kept;
      const expected = (above - below) / (2 * STEP);
      error += (expected - (got[i] ?? Number.NaN)) ** 2;
      norm += expected ** 2;
    }
    return { input: index, relative: Math.sqrt(error / Math.max(norm, 1e-12)) };
  });
}
