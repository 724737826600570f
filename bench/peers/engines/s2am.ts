/** This engine. */
import { openDevice } from "../../../src/gpu/open_device.node.js";
import { compile } from "../../../src/graph/compile.js";
import { Runtime } from "../../../src/graph/runtime.js";
import { constant, input } from "../../../src/graph/tensor.js";
import { fileSource } from "../../../src/io/file_source.node.js";
import type { HostTensor } from "../../../src/io/tensor_data.js";
import { readWeights } from "../../../src/io/weights_file.js";
import { conv2d } from "../../../src/kernels/conv2d/op.js";
import { Network } from "../../../src/model/network.js";
import { TrainLayers } from "../../../src/model/train_layers.js";
import { unet } from "../../../src/model/unet.js";
import { loadModel } from "../../../src/model/weights.js";
import { packageVersion } from "../../../src/package.node.js";
import { TrainStep } from "../../../src/train/train_step.js";
import { type Prepared, serve } from "../engine.js";
import {
  type ConvJob,
  convFlops,
  convInput,
  convWeight,
  type ForwardJob,
  type Job,
  LEARNING_RATE,
  networkInput,
  type TrainJob,
  trainTarget,
} from "../jobs.js";

type Opened = Awaited<ReturnType<typeof openDevice>>;
const NOTHING = new Float32Array(0);

serve({
  version: packageVersion(),
  async prepare(job: Job) {
    const opened = await openDevice({ log: () => {} });
    const prepared = await (job.kind === "forward"
      ? forward(job, opened)
      : job.kind === "train"
        ? train(job, opened)
        : conv(job, opened));
    return { ...prepared, adapter: opened.description.name };
  },
});

async function tensorsOf(path: string): Promise<Map<string, HostTensor>> {
  const file = await fileSource(path);
  const { tensors } = await readWeights(file, path);
  await file.close();
  return tensors;
}

async function forward(job: ForwardJob, { device, description }: Opened): Promise<Prepared> {
  const model = loadModel(await tensorsOf(job.weights), {}, job.config);
  const network = new Network(model, device, { software: description.isSoftware });
  const plan = await network.plan([job.batch, job.size, job.size]);
  const x = networkInput(job);
  const { outputs } = await plan.run({ x });
  const flops = plan.parts.dispatches.reduce((sum, dispatch) => sum + dispatch.flops, 0);
  return { outputs: { y: outputs.y ?? NOTHING }, flops, run: async () => void (await plan.run({ x })) };
}

async function train(job: TrainJob, { device, description }: Opened): Promise<Prepared> {
  const { config, batch, size } = job;
  const initial = await tensorsOf(job.weights);
  const runtime = new Runtime(device, { software: description.isSoftware });
  const x = networkInput(job);
  const target = trainTarget(job);
  const y = await trainingForward(job, initial, runtime, x);
  const asked = { config, batch, size, loss: "mse", optimizer: { name: "adam" } } as const;
  const step = await TrainStep.create(runtime, asked, initial);
  const run = (): Promise<{ loss: number }> => step.step({ x, target }, { lr: LEARNING_RATE });
  const { loss } = await run();
  const flops = step.dispatches.reduce((sum, dispatch) => sum + dispatch.flops, 0);
  return { outputs: { y, loss }, flops, run: async () => void (await run()) };
}

/** The output with the batch's own statistics, which a training step keeps to itself. */
async function trainingForward(
  { config, batch, size }: TrainJob,
  initial: ReadonlyMap<string, HostTensor>,
  runtime: Runtime,
  x: Float32Array,
): Promise<Float32Array> {
  const graph = unet(new TrainLayers(initial), config, input("x", [batch, size, size, 4]));
  const plan = await compile(runtime, { y: graph.y });
  const { outputs } = await plan.run({ x });
  await plan.dispose();
  return outputs.y ?? NOTHING;
}

async function conv(job: ConvJob, { device, description }: Opened): Promise<Prepared> {
  const { size, cIn, cOut, kernel, stride, padding } = job;
  const runtime = new Runtime(device, { software: description.isSoftware });
  const w = constant("w", [kernel, kernel, cIn, cOut], convWeight(job));
  const y = conv2d(input("x", [1, size, size, cIn]), w, null, { stride, padding });
  const plan = await compile(runtime, { y });
  const x = convInput(job);
  const { outputs } = await plan.run({ x });
  return { outputs: { y: outputs.y ?? NOTHING }, flops: convFlops(job), run: async () => void (await plan.run({ x })) };
}
