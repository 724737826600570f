/** The checks of the backward kernels are put to the test themselves: kernels and gradients made wrong must fail them. */
import { beforeAll, describe, expect, test } from "vitest";
import type { AnyOp } from "../src/graph/op.js";
import { Runtime } from "../src/graph/runtime.js";
import { constant, sizeOf, type Tensor } from "../src/graph/tensor.js";
import { checkCase, hostInputs, runnableVariants } from "../src/kernels/check.js";
import { mul } from "../src/kernels/elementwise/op.js";
import { suites } from "../src/kernels/index.js";
import type { AnySuite, OpCase } from "../src/kernels/suite.js";
import { testDevice } from "./helpers/device.js";
import { checkGradient, differentiableInputs, gradientRows, RELATIVE } from "./helpers/gradient_check.js";
import { MUTANTS, type ShaderMutants } from "./helpers/mutants.js";

let device: GPUDevice;
beforeAll(async () => {
  ({ device } = await testDevice());
});

function suiteOf(op: string): AnySuite {
  const suite = suites.find((candidate) => candidate.op.name === op);
  if (!suite) throw new Error(`no suite of ${op}`);
  return suite;
}

/** The first of a variant's cases whose result is not the oracle's, on pipelines of its own. */
async function firstWrong({ op, variant, cases }: ShaderMutants): Promise<string | null> {
  const suite = suiteOf(op);
  const rows = suite.cases.filter(({ name, timed }) => (cases ? cases.includes(name) : !timed));
  const runtime = new Runtime(device);
  try {
    for (const row of rows) {
      if (!runnableVariants(suite, row, runtime).includes(variant)) continue;
      const { worst } = await checkCase(runtime, suite, row, variant);
      if (worst > 1) return row.name;
    }
    return null;
  } finally {
    runtime.dispose();
  }
}

describe.each(MUTANTS.map((mutants) => [mutants.shader.name, mutants] as const))("%s", (name, mutants) => {
  test.each(mutants.mutations)("%s -> %s", async (text, wrong) => {
    const { shader } = mutants;
    const { source } = shader;
    expect(source, `shaders/${name}.wgsl and its mutants have drifted apart`).toContain(text);
    try {
      Object.assign(shader, { source: source.replaceAll(text, wrong) });
      expect(await firstWrong(mutants)).not.toBeNull();
    } finally {
      Object.assign(shader, { source });
    }
  });
});

/** The op with gradients that are `factor` times what they should be. */
function scaled(op: AnyOp, factor: number): AnyOp {
  const times = (gradient: Tensor | null): Tensor | null =>
    gradient &&
    mul(gradient, constant("factor", gradient.shape, new Float32Array(sizeOf(gradient.shape)).fill(factor)));
  return { ...op, vjp: (context, dy) => (op.vjp?.(context, dy) ?? []).map(times) };
}

/** The cheapest row that has a gradient. */
function smallestRow(suite: AnySuite): OpCase<unknown> | undefined {
  const elements = (row: OpCase<unknown>): number =>
    row.shapes.reduce((sum, shape) => sum + (shape ? sizeOf(shape) : 0), 0);
  return gradientRows(suite)
    .filter((row) => elements(row) > 20)
    .sort((a, b) => elements(a) - elements(b))[0];
}

const differentiable = suites.flatMap((suite) => {
  const row = smallestRow(suite);
  return row ? [[suite.op.name, suite, row] as const] : [];
});

test.each(differentiable)("a gradient of %s that is off by a thousandth is noticed", async (_, suite, row) => {
  const runtime = new Runtime(device);
  const wrong = { ...suite, op: scaled(suite.op, 1.001) };
  const inputs = differentiableInputs(suite, row);
  const errors = await checkGradient(runtime, wrong, row, hostInputs(row, 6), inputs);
  expect(errors.length).toBe(inputs.length);
  for (const { relative } of errors) expect(relative).toBeGreaterThan(RELATIVE);
  runtime.dispose();
});
