/** TensorFlow.js with its WebGPU backend, on dawn's Node bindings. */
import { readFileSync } from "node:fs";
import { waitIdly } from "../../../src/gpu/idle.js";
import { parseSafetensors } from "../../../src/io/safetensors.js";
import { type BrowserAdapter, provideNavigator } from "../browser_gpu.js";
import { load, type Prepared, serve, versionOf } from "../engine.js";
import {
  type ConvJob,
  convInput,
  convWeight,
  type ForwardJob,
  type Job,
  LEARNING_RATE,
  networkInput,
  type TrainJob,
  trainTarget,
} from "../jobs.js";
import type { Tensor, TensorFlow } from "../tensorflow.js";
import { TensorFlowNetwork } from "../tensorflow_network.js";

/** Reads a tensor back; on a software adapter without dawn's busy polling, as this engine does. */
type Read = (tensor: Tensor) => Promise<Float32Array>;

serve({
  version: versionOf("@tensorflow/tfjs"),
  async prepare(job: Job): Promise<Prepared> {
    const adapter = await provideNavigator(); // the backend looks for one when it is loaded
    const tf = load("@tensorflow/tfjs") as TensorFlow;
    load("@tensorflow/tfjs-backend-webgpu");
    if (!(await tf.setBackend("webgpu"))) throw new Error("TensorFlow.js did not start its webgpu backend");
    await tf.ready();
    if (tf.getBackend() !== "webgpu") throw new Error(`TensorFlow.js chose the backend ${tf.getBackend()}`);
    const read = readerFor(adapter);
    const prepared = await (job.kind === "forward"
      ? forward(tf, job, read)
      : job.kind === "train"
        ? train(tf, job, read)
        : conv(tf, job, read));
    return { ...prepared, adapter: adapter.name };
  },
});

const readerFor =
  ({ isSoftware }: BrowserAdapter): Read =>
  async (tensor) => {
    const values = await (isSoftware ? waitIdly(tensor.data()) : tensor.data());
    tensor.dispose();
    return values;
  };

const tensorsOf = (path: string) => parseSafetensors(new Uint8Array(readFileSync(path)), path).tensors;

async function forward(tf: TensorFlow, job: ForwardJob, read: Read): Promise<Prepared> {
  const network = new TensorFlowNetwork(tf, tensorsOf(job.weights), job.config, false);
  const values = networkInput(job);
  const shape = [job.batch, job.size, job.size, 4];
  const run = (): Promise<Float32Array> => read(tf.tidy(() => network.forward(tf.tensor(values, shape))));
  const y = Float32Array.from(await run());
  return { outputs: { y }, run: async () => void (await run()) };
}

async function train(tf: TensorFlow, job: TrainJob, read: Read): Promise<Prepared> {
  const { batch, size } = job;
  const network = new TensorFlowNetwork(tf, tensorsOf(job.weights), job.config, true);
  const [values, wanted] = [networkInput(job), trainTarget(job)];
  const inputs = () => ({
    x: tf.tensor(values, [batch, size, size, 4]),
    target: tf.tensor(wanted, [batch, size, size, 3]),
  });
  const y = Float32Array.from(await read(tf.tidy(() => network.forward(inputs().x))));
  const optimizer = tf.train.adam(LEARNING_RATE, 0.9, 0.999, 1e-8);
  const step = async (): Promise<number> => {
    const cost = tf.tidy(() =>
      optimizer.minimize(() => {
        const { x, target } = inputs();
        return tf.mean(tf.square(tf.sub(network.forward(x), target)));
      }, true),
    );
    if (!cost) throw new Error("the optimizer gave no loss");
    return (await read(cost))[0] ?? Number.NaN;
  };
  const loss = await step();
  const second = await step();
  if (!(second < loss)) throw new Error(`the loss on one batch went from ${loss} to ${second}: this is no training`);
  return { outputs: { y, loss }, run: async () => void (await step()) };
}

async function conv(tf: TensorFlow, job: ConvJob, read: Read): Promise<Prepared> {
  const { size, cIn, cOut, kernel, stride } = job;
  const filter = tf.tensor(convWeight(job), [kernel, kernel, cIn, cOut]);
  const values = convInput(job);
  const run = (): Promise<Float32Array> =>
    read(tf.tidy(() => tf.conv2d(tf.tensor(values, [1, size, size, cIn]), filter, stride, "same")));
  const y = Float32Array.from(await run());
  return { outputs: { y }, run: async () => void (await run()) };
}
