/** What the engines are given to do: networks, a training step, single convolutions, and the numbers that go in. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { OnnxGraph } from "../../src/io/onnx/model.js";
import { serializeOnnx } from "../../src/io/onnx/writer.js";
import { serializeSafetensors } from "../../src/io/safetensors.js";
import { fromFloat32, type HostTensor } from "../../src/io/tensor_data.js";
import { fillArray } from "../../src/kernels/suite.js";
import { type ModelConfig, metadataOf } from "../../src/model/config.js";
import { initialTensors } from "../../src/model/init.js";
import { onnxModel } from "../../src/model/onnx.js";
import { unpackConv } from "../../src/model/repack.js";
import { mulberry32 } from "../../src/random.js";

export interface ForwardJob {
  readonly kind: "forward";
  readonly name: string;
  readonly config: ModelConfig;
  readonly batch: number;
  readonly size: number;
  /** Files, once they are written. */
  readonly weights: string;
  readonly onnx: string;
}

export interface TrainJob extends Omit<ForwardJob, "kind" | "onnx"> {
  readonly kind: "train";
}

/** One convolution without bias or activation. */
export interface ConvJob {
  readonly kind: "conv";
  readonly name: string;
  /** Side of the square input. */
  readonly size: number;
  readonly cIn: number;
  readonly cOut: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly onnx: string;
}

export type Job = ForwardJob | TrainJob | ConvJob;

export const LEARNING_RATE = 1e-3;

export const outputSize = ({ size, kernel, stride, padding }: ConvJob): number =>
  Math.floor((size + 2 * padding - kernel) / stride) + 1;

/** Multiplications and additions of the plain algorithm; of networks this engine tells. */
export const convFlops = (job: ConvJob): number => 2 * outputSize(job) ** 2 * job.cOut * job.cIn * job.kernel ** 2;

/**
 * [batch, size, size, 4]: noise, as `s2am bench` runs networks on. The mask is noise too, so that it leaves out no part of the picture
 * that this engine, which computes S2AM's learned block under the mask alone, could spare and the others could not.
 */
export const networkInput = ({ batch, size }: Pick<ForwardJob, "batch" | "size">): Float32Array =>
  Float32Array.from(fillArray([batch, size, size, 4], 1, "unit").data);

export const trainTarget = ({ batch, size }: TrainJob): Float32Array =>
  Float32Array.from(fillArray([batch, size, size, 3], 2, "unit").data);

export const convInput = ({ size, cIn }: ConvJob): Float32Array =>
  Float32Array.from(fillArray([1, size, size, cIn], 3).data);

/** [R, S, C_in, C_out] */
export function convWeight({ kernel, cIn, cOut }: ConvJob): Float32Array {
  const scale = Math.sqrt(3 / (cIn * kernel ** 2));
  return Float32Array.from(fillArray([kernel, kernel, cIn, cOut], 4).data, (value) => value * scale);
}

/** [N, pixels, C] to [N, C, pixels]. */
export function toPlanes(values: ArrayLike<number>, n: number, pixels: number, channels: number): Float32Array {
  const planes = new Float32Array(values.length);
  for (let b = 0; b < n; b++) {
    for (let i = 0; i < pixels; i++) {
      for (let c = 0; c < channels; c++) {
        planes[(b * channels + c) * pixels + i] = values[(b * pixels + i) * channels + c] ?? Number.NaN;
      }
    }
  }
  return planes;
}

/** [N, C, pixels] to [N, pixels, C]. */
export const fromPlanes = (planes: ArrayLike<number>, n: number, pixels: number, channels: number): Float32Array =>
  toPlanes(planes, n, channels, pixels);

/** Writes what the job's engines read. */
export function writeFiles(job: Job, folder: string): Job {
  const base = join(folder, job.name.replace(/\W+/g, "_"));
  if (job.kind === "conv") {
    const onnx = `${base}.onnx`;
    writeFileSync(onnx, convOnnx(job));
    return { ...job, onnx };
  }
  const tensors = randomWeights(job.config, job.kind === "forward");
  const weights = `${base}.safetensors`;
  writeFileSync(weights, serializeSafetensors(tensors, metadataOf(job.config)));
  if (job.kind === "train") return { ...job, weights };
  const onnx = `${base}.onnx`;
  const { batch, size } = job;
  writeFileSync(onnx, serializeOnnx(onnxModel(tensors, job.config, { batch, size, version: "bench" })));
  return { ...job, weights, onnx };
}

/** The authors' initialisation; for inference with running statistics as a training leaves them, not 0 and 1. */
function randomWeights(config: ModelConfig, statistics: boolean): Map<string, HostTensor> {
  const tensors = initialTensors(config, 1);
  const uniform = mulberry32(2);
  if (!statistics) return tensors;
  for (const [key, { shape }] of tensors) {
    const draw = key.endsWith(".running_mean")
      ? () => 0.4 * (uniform() - 0.5)
      : key.endsWith(".running_var")
        ? () => 0.5 + uniform()
        : null;
    if (draw) tensors.set(key, fromFloat32(Float32Array.from({ length: shape[0] ?? 0 }, draw), shape, "F32"));
  }
  return tensors;
}

function convOnnx(job: ConvJob): Uint8Array {
  const { cIn, cOut, kernel, stride, padding, size } = job;
  const graph = new OnnxGraph();
  const w = graph.tensor("w", [cOut, cIn, kernel, kernel], () => unpackConv(convWeight(job), cOut, cIn, kernel ** 2));
  graph.node("Conv", "y", ["x", w], {
    kernel_shape: { ints: [kernel, kernel] },
    strides: { ints: [stride, stride] },
    pads: { ints: [padding, padding, padding, padding] },
  });
  const side = outputSize(job);
  return serializeOnnx({
    producer: "s2am-webgpu bench",
    producerVersion: "1",
    name: job.name,
    doc: "",
    metadata: {},
    inputs: [{ name: "x", shape: [1, cIn, size, size], doc: "" }],
    outputs: [{ name: "y", shape: [1, cOut, side, side], doc: "" }],
    initializers: graph.initializers,
    nodes: graph.nodes,
  });
}
