/** ONNX Runtime, by the execution provider that the process is started with: webgpu (its own dawn) or cpu. */
import { load, type Prepared, serve, versionOf } from "../engine.js";
import { convInput, fromPlanes, type Job, networkInput, toPlanes } from "../jobs.js";

interface OrtTensor {
  readonly data: Float32Array;
  dispose(): void;
}
interface Ort {
  readonly InferenceSession: {
    create(path: string, options: object): Promise<{ run(feeds: object): Promise<Record<string, OrtTensor>> }>;
  };
  readonly Tensor: new (type: "float32", data: Float32Array, shape: readonly number[]) => OrtTensor;
}

const provider = process.argv[2] ?? "webgpu";

serve({
  version: versionOf("onnxruntime-node"),
  async prepare(job: Job): Promise<Prepared> {
    if (job.kind === "train") throw new Error("onnxruntime-node has no training");
    const ort = load("onnxruntime-node") as Ort;
    // Errors alone: a provider that leaves nodes to the CPU is told of by warnings, and there are none here.
    const session = await ort.InferenceSession.create(job.onnx, {
      executionProviders: [provider],
      logSeverityLevel: 3,
    });
    const { nhwc, shape, outputs } = layout(job);
    const [n, channels, h, w] = shape;
    const data = toPlanes(nhwc, n, h * w, channels);
    const run = async (): Promise<Float32Array> => {
      const { y } = await session.run({ x: new ort.Tensor("float32", data, shape) });
      if (!y) throw new Error("the session gave no y");
      return y.data;
    };
    const planes = Float32Array.from(await run());
    const y = fromPlanes(planes, n, planes.length / n / outputs, outputs);
    return { outputs: { y }, run: async () => void (await run()) };
  },
});

function layout(job: Exclude<Job, { kind: "train" }>): {
  nhwc: Float32Array;
  shape: readonly [number, number, number, number];
  /** Channels of y. */
  outputs: number;
} {
  const { size } = job;
  return job.kind === "conv"
    ? { nhwc: convInput(job), shape: [1, job.cIn, size, size], outputs: job.cOut }
    : { nhwc: networkInput(job), shape: [job.batch, 4, size, size], outputs: 3 };
}
