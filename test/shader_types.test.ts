/**
 * Every shader in every combination of element types and constants that a plan can ask for, as the compiler reads it: the
 * case tables of all ops in all their forms, under every variant that can run them, and whole networks, inference and
 * training, as GPUs and as software adapters select them. Nothing runs here, so this reaches what would take minutes to run.
 */
import { beforeAll, describe, expect, test } from "vitest";
import { type PipelineSpec, pipelineKey } from "../src/gpu/pipelines.js";
import { specialize } from "../src/gpu/specialize.js";
import type { NodePlan } from "../src/graph/op.js";
import { planGraph } from "../src/graph/plan_graph.js";
import { Runtime } from "../src/graph/runtime.js";
import { canRun } from "../src/graph/select.js";
import { sizeOf } from "../src/graph/tensor.js";
import type { HostTensor } from "../src/io/tensor_data.js";
import { caseProblem } from "../src/kernels/check.js";
import { suites } from "../src/kernels/index.js";
import { f16Rows } from "../src/kernels/suite.js";
import { ARCHS, DEFAULT_CONFIG, type ModelConfig } from "../src/model/config.js";
import { initialTensors } from "../src/model/init.js";
import { Network } from "../src/model/network.js";
import { loadModel, parameterShapes } from "../src/model/weights.js";
import { trainGraphs } from "../src/train/train_graph.js";
import { testDevice } from "./helpers/device.js";
import { f16Device, NO_F16 } from "./helpers/f16_device.js";

let device: GPUDevice;
beforeAll(async () => {
  const half = await f16Device();
  if (!half) console.warn(`f16 is skipped: ${NO_F16}`);
  device = half ?? (await testDevice()).device;
});

const passesOf = ({ prepare = [], passes }: NodePlan): readonly PipelineSpec[] => [...prepare, ...passes];

/** What the compiler objects to in shaders that differ; how many there were. */
async function objections(specs: readonly PipelineSpec[]): Promise<{ count: number; errors: string[] }> {
  const distinct = new Map(specs.map((spec) => [pipelineKey({ ...spec, overrides: {} }), spec]));
  const errors: string[] = [];
  await Promise.all(
    [...distinct].map(async ([key, { shader, consts, types }]) => {
      device.pushErrorScope("validation");
      const module = device.createShaderModule({ label: key, code: specialize(shader.source, { consts, types }) });
      const failed = await device.popErrorScope();
      const { messages } = await module.getCompilationInfo();
      const told = messages.filter(({ type }) => type === "error").map(({ message }) => message.split("\n")[0]);
      if (failed || told.length > 0) errors.push(`${key}: ${told.join("; ") || failed?.message}`);
    }),
  );
  return { count: distinct.size, errors };
}

/** Weights of a network that is planned and never run. */
const zeros = (config: ModelConfig): Map<string, HostTensor> =>
  new Map(
    [...parameterShapes(config)].map(([key, shape]) => [
      key,
      { dtype: "F32", shape, data: new Uint8Array(4 * sizeOf(shape)) },
    ]),
  );

const SELECTIONS = [
  ["GPUs", false],
  ["software adapters", true],
] as const;

describe.each(SELECTIONS)("what is planned for %s", (_, software) => {
  test("in the case tables compiles, in every form and variant", async () => {
    const runtime = new Runtime(device, { software });
    const specs = suites.flatMap((suite) =>
      suite.cases
        .flatMap((row) => [row, ...f16Rows(suite, row)])
        .flatMap((row) => {
          const problem = caseProblem(suite, row);
          const variants = suite.op.variants.filter((variant) => canRun(variant, problem, runtime.capabilities));
          return variants.flatMap((variant) => passesOf(variant.plan(problem, runtime.capabilities)));
        }),
    );
    const { count, errors } = await objections(specs);
    expect(errors).toEqual([]);
    expect(count).toBeGreaterThan(200);
    runtime.dispose();
  });

  test.each(ARCHS)("of a whole %s compiles, in f32 and f16", async (arch) => {
    const specs: PipelineSpec[] = [];
    for (const width of [16, 64]) {
      const config = { ...DEFAULT_CONFIG, arch, width, levels: width === 16 ? 6 : 8 };
      const model = loadModel(zeros(config));
      for (const dtype of device.features.has("shader-f16") ? (["f32", "f16"] as const) : (["f32"] as const)) {
        const network = new Network(model, device, { dtype, software });
        for (const shape of [
          [1, 256, 256],
          [2, 512, 256],
        ] as const) {
          const { steps } = planGraph(network.runtime, { y: network.graph(shape).y }, { tuning: "off" });
          specs.push(...steps.flatMap(({ plan }) => passesOf(plan)));
        }
        await network.dispose();
      }
    }
    const { count, errors } = await objections(specs);
    expect(errors).toEqual([]);
    expect(count).toBeGreaterThan(8);
  });

  test.each(ARCHS)("of %s's training steps compiles", async (arch) => {
    const config = { ...DEFAULT_CONFIG, arch, width: 16, levels: 6 };
    const runtime = new Runtime(device, { software });
    const specs: PipelineSpec[] = [];
    for (const accumulate of [1, 2]) {
      const asked = {
        config,
        batch: 4,
        size: 128,
        loss: "fn_log",
        optimizer: { name: "adamw" },
        clipNorm: 1,
        emaDecay: 0.99,
        accumulate,
      } as const;
      const { micro, update } = trainGraphs(asked, initialTensors(config, 1));
      for (const graph of [micro, update]) {
        if (!graph) continue;
        const { steps } = planGraph(runtime, graph.outputs, { effects: graph.effects, tuning: "off" });
        specs.push(...steps.flatMap(({ plan }) => passesOf(plan)));
      }
    }
    const { count, errors } = await objections(specs);
    expect(errors).toEqual([]);
    expect(count).toBeGreaterThan(20);
    runtime.dispose();
  });
});
