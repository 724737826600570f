/**
 * Runs on the card that is not there (see null_vulkan.c), in a process of its own because the driver prints on stderr and
 * a loader is chosen before a process begins. Plans the workload on its command line as for any GPU, compiles every
 * kernel of the plan, and ends. No buffer is made: there is nothing to fill it for.
 */
import { writeSync } from "node:fs";
import { AdapterError, S2amError } from "../../src/errors.js";
import { pipelineKey } from "../../src/gpu/pipelines.js";
import { type GraphPlan, planGraph } from "../../src/graph/plan_graph.js";
import { Runtime } from "../../src/graph/runtime.js";
import { input, sizeOf } from "../../src/graph/tensor.js";
import { fileSource } from "../../src/io/file_source.node.js";
import { fromFloat32, type HostTensor } from "../../src/io/tensor_data.js";
import { readWeights } from "../../src/io/weights_file.js";
import { listedMatrixUnits } from "../../src/kernels/matrix_units.js";
import { DEFAULT_CONFIG, type ModelConfig } from "../../src/model/config.js";
import { InferenceLayers } from "../../src/model/layers.js";
import { unet } from "../../src/model/unet.js";
import { loadModel, type Model, parameterShapes } from "../../src/model/weights.js";
import { trainGraphs } from "../../src/train/train_graph.js";
import { openTunedDevice } from "../../src/tuning/user_tables.node.js";
import { begin, type CompiledKernel, end, type FromChild } from "./messages.js";
import { usedKernels } from "./work.js";
import type { Workload } from "./workload.js";

const configOf = ({ arch, width, levels }: Workload): ModelConfig => ({ ...DEFAULT_CONFIG, arch, width, levels });

/** What weights hold does not matter to a compiler; a file says of which network they are. */
async function modelOf(workload: Workload): Promise<Pick<Model, "config" | "layers">> {
  const { weights } = workload;
  if (weights === null) {
    const layers = new InferenceLayers({ get: (_, shape) => () => new Float32Array(sizeOf(shape)) });
    return { config: configOf(workload), layers };
  }
  const source = await fileSource(weights);
  try {
    const { tensors, metadata } = await readWeights(source, weights);
    return loadModel(tensors, metadata, {}, weights);
  } finally {
    await source.close();
  }
}

function planTraining(runtime: Runtime, workload: Workload): GraphPlan {
  const { size, batch } = workload;
  const config = configOf(workload);
  const initial = new Map<string, HostTensor>(
    [...parameterShapes(config)].map(([key, shape]) => [
      key,
      fromFloat32(new Float32Array(sizeOf(shape)), shape, "F32"),
    ]),
  );
  const options = { config, batch, size, loss: "mse", optimizer: { name: "adam" } } as const;
  const { outputs, effects } = trainGraphs(options, initial).micro;
  return planGraph(runtime, outputs, { effects });
}

/** One at a time, so that what the driver prints has an owner. @returns the kernels, and where each pass's is */
async function compileKernels(runtime: Runtime, { steps }: GraphPlan) {
  const kernels: CompiledKernel[] = [];
  const ids = new Map<string, number>();
  for (const pass of steps.flatMap(({ plan }) => [...(plan.prepare ?? []), ...plan.passes])) {
    const key = pipelineKey(pass);
    if (ids.has(key)) continue;
    const { shader, overrides, consts, types } = pass;
    const id = kernels.length;
    ids.set(key, id);
    kernels.push({ id, shader: shader.name, constants: { ...consts, ...overrides, ...types } });
    writeSync(2, begin(id));
    await runtime.pipelines.get(pass);
    writeSync(2, end(id));
  }
  return { kernels, ids };
}

async function compileAll(asked: Workload): Promise<FromChild> {
  const { size, batch, dtype, train, matrixUnits } = asked;
  const { device, description } = await openTunedDevice({ adapter: "gpu", tuning: false, matrixUnits, log: () => {} });
  // Nothing runs here, so what the card lists has to do: a convolution on it would be wrong.
  const { units, reason } = matrixUnits ? listedMatrixUnits(device) : { units: undefined, reason: null };
  if (units === null) throw new AdapterError(`matrix units cannot be used: ${reason}`);
  const runtime = new Runtime(device, { matrixUnits: units });
  let plan: GraphPlan;
  let workload = asked;
  if (train) plan = planTraining(runtime, asked);
  else {
    const { config, layers } = await modelOf(asked);
    const { y } = unet(layers.as(dtype), config, input("x", [batch, size, size, 4]));
    plan = planGraph(runtime, { y }, {});
    workload = { ...asked, arch: config.arch, width: config.width, levels: config.levels };
  }
  const { kernels, ids } = await compileKernels(runtime, plan);
  const { name, description: driver } = description;
  return { kind: "done", adapter: name, driver, workload, kernels, used: usedKernels(plan, ids) };
}

/** Ends at once: nothing here has to be put in order, and the driver's own ending is for cards that exist. */
function answer(message: FromChild): void {
  process.send?.(message, undefined, {}, () => process.exit(message.kind === "done" ? 0 : 1));
}

process.on("disconnect", () => process.exit(1));
compileAll(JSON.parse(process.argv[2] ?? "null") as Workload).then(answer, (error: unknown) =>
  answer({
    kind: "failed",
    code: error instanceof S2amError ? error.code : null,
    message: error instanceof Error ? error.message : String(error),
  }),
);
