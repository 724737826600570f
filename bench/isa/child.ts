/**
 * Runs on the card that is not there (see null_vulkan.c), in a process of its own because the driver prints on stderr and
 * a loader is chosen before a process begins. Compiles what the workload on the command line needs, and ends.
 */
import { writeSync } from "node:fs";
import { S2amError } from "../../src/errors.js";
import { type PipelineSpec, pipelineKey } from "../../src/gpu/pipelines.js";
import type { PlannedDispatch } from "../../src/graph/plan.js";
import { Runtime } from "../../src/graph/runtime.js";
import { sizeOf } from "../../src/graph/tensor.js";
import { fileSource } from "../../src/io/file_source.node.js";
import { fromFloat32, type HostTensor } from "../../src/io/tensor_data.js";
import { readWeights } from "../../src/io/weights_file.js";
import { requireMatrixUnits } from "../../src/kernels/matrix_units.js";
import { DEFAULT_CONFIG, type ModelConfig } from "../../src/model/config.js";
import { Network } from "../../src/model/network.js";
import { loadModel, type Model, parameterShapes } from "../../src/model/weights.js";
import { TrainStep } from "../../src/train/train_step.js";
import { openTunedDevice } from "../../src/tuning/user_tables.node.js";
import { begin, type CompiledKernel, end, type FromChild, type UsedKernel } from "./messages.js";
import type { Workload } from "./workload.js";

/** Pipelines one at a time, so that what the driver prints has an owner. */
class Recorder {
  readonly kernels: CompiledKernel[] = [];
  private readonly ids = new Map<GPUComputePipeline, number>();
  private readonly made = new Map<string, Promise<GPUComputePipeline>>();
  private queue: Promise<unknown> = Promise.resolve();

  watch({ pipelines }: Runtime): void {
    const get = pipelines.get.bind(pipelines);
    pipelines.get = (spec) => {
      const key = pipelineKey(spec);
      const made = this.made.get(key) ?? this.inTurn(() => this.compile(spec, get));
      this.made.set(key, made);
      return made;
    };
  }

  used({ pipeline, workgroups, ...dispatch }: PlannedDispatch): UsedKernel {
    const id = this.ids.get(pipeline);
    if (id === undefined) throw new Error(`${dispatch.shader}: its pipeline was not seen`);
    const { op, variant, node, nodeId, invocations, flops, bytes, minBytes } = dispatch;
    const groups = workgroups[0] * workgroups[1] * workgroups[2];
    return { id, op, variant, node, nodeId, workgroups: groups, invocations, flops, bytes, minBytes };
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.queue.then(work);
    this.queue = done.catch(() => {});
    return done;
  }

  private async compile(spec: PipelineSpec, get: (spec: PipelineSpec) => Promise<GPUComputePipeline>) {
    const id = this.kernels.length;
    const { shader, overrides, consts, types } = spec;
    this.kernels.push({ id, shader: shader.name, constants: { ...consts, ...overrides, ...types } });
    writeSync(2, begin(id));
    const pipeline = await get(spec);
    writeSync(2, end(id));
    this.ids.set(pipeline, id);
    return pipeline;
  }
}

const configOf = ({ arch, width, levels }: Workload): ModelConfig => ({ ...DEFAULT_CONFIG, arch, width, levels });

/** What they hold does not matter to a compiler. */
function someTensors(config: ModelConfig): Map<string, HostTensor> {
  return new Map(
    [...parameterShapes(config)].map(([key, shape]) => {
      const values = new Float32Array(sizeOf(shape));
      if (key.endsWith(".running_var")) values.fill(1);
      return [key, fromFloat32(values, shape, "F32")];
    }),
  );
}

async function modelOf(workload: Workload): Promise<Model> {
  const { weights } = workload;
  if (weights === null) return loadModel(someTensors(configOf(workload)), {}, configOf(workload));
  const source = await fileSource(weights);
  try {
    const { tensors, metadata } = await readWeights(source, weights);
    return loadModel(tensors, metadata, {}, weights);
  } finally {
    await source.close();
  }
}

async function compileAll(asked: Workload): Promise<FromChild> {
  const { device, description } = await openTunedDevice({
    adapter: "gpu",
    tuning: false,
    matrixUnits: asked.matrixUnits,
    log: () => {},
  });
  const recorder = new Recorder();
  const { size, batch, dtype, train } = asked;
  let dispatches: readonly PlannedDispatch[];
  let workload = asked;
  if (train) {
    const runtime = new Runtime(device);
    recorder.watch(runtime);
    const config = configOf(asked);
    const options = { config, batch, size, loss: "mse", optimizer: { name: "adam" } } as const;
    ({ dispatches } = await TrainStep.create(runtime, options, someTensors(config)));
  } else {
    const model = await modelOf(asked);
    const matrixUnits = asked.matrixUnits ? await requireMatrixUnits(device) : undefined;
    const network = new Network(model, device, { dtype, matrixUnits });
    recorder.watch(network.runtime);
    ({ dispatches } = (await network.plan([batch, size, size])).parts);
    const { arch, width, levels } = model.config;
    workload = { ...asked, arch, width, levels };
  }
  return {
    kind: "done",
    adapter: description.name,
    driver: description.description,
    workload,
    kernels: recorder.kernels,
    used: dispatches.map((dispatch) => recorder.used(dispatch)),
  };
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
