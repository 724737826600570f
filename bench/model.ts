/** Times a whole network against the paper's 12 ms, after checking that this device computes it right. */
import type { CompileProgress } from "../src/graph/compile.js";
import type { MatrixUnits } from "../src/graph/op.js";
import type { PassTiming } from "../src/graph/plan.js";
import type { DType } from "../src/graph/tensor.js";
import { fillArray } from "../src/kernels/suite.js";
import type { ModelConfig } from "../src/model/config.js";
import { MIN_LEVELS, MIN_WIDTH, sizeMultiple } from "../src/model/config.js";
import { type DtypeError, dtypeErrorOf } from "../src/model/dtype_error.js";
import { initialTensors } from "../src/model/init.js";
import { Network, type NetworkShape } from "../src/model/network.js";
import { loadModel } from "../src/model/weights.js";
import { type Bound, costOf, floored } from "./floors.js";
import type { Roofline } from "./roofline/roofline.js";
import { collect, medianOf, summarize } from "./statistics.js";

/** Milliseconds an image at 256 x 256 on a GTX 1080 (paper, section 4.1). */
export const PAPER_MS = 12;

export interface ModelBenchOptions {
  readonly config: ModelConfig;
  readonly size: number;
  readonly batch: number;
  readonly software: boolean;
  /** What times are held against; null for none. */
  readonly roofline: Roofline | null;
  /** Of repeats, at most. */
  readonly seconds: number;
  readonly matrixUnits?: MatrixUnits | undefined;
  readonly dtype: DType;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (progress: CompileProgress) => void;
}

export interface ModelRow {
  readonly name: string;
  readonly width: number;
  readonly levels: number;
  readonly size: number;
  readonly batch: number;
  readonly dtype: DType;
  readonly parameters: number;
  readonly gflop: number;
  readonly dispatches: number;
  /** Every node's inputs and outputs, each once. */
  readonly bytes: number;
  /** What the passes bind, scratch counted in. */
  readonly movedBytes: number;
  /** The sum of the nodes' floors, and as a share of the time on the GPU (without timestamps: of the wall time). */
  readonly floorMs: number | null;
  readonly percentOfFloor: number | null;
  readonly bound: Bound | null;
  /** Wall time of a run, upload and read-back counted in, under a mask that leaves no tile out. */
  readonly msMedian: number;
  /** Of one under a mask of `MASK_SHARE` of the picture; null for a network without S2AM. */
  readonly maskedMsMedian: number | null;
  readonly msMin: number;
  readonly msP95: number;
  /** From the lower to the upper quartile, as a share of the median. */
  readonly spread: number;
  readonly runs: number;
  /** First to last dispatch on the GPU's clock; null without timestamp-query. */
  readonly gpuMsMedian: number | null;
  readonly firstRunMs: number;
  readonly compileMs: number;
  /** Activations and scratch, sharing buffers by liveness. */
  readonly activationBytes: number;
  /** The most scratch alive at once. */
  readonly scratchBytes: number;
  readonly weightBytes: number;
  /** The most in buffers at any time, compiling counted in. */
  readonly peakBytes: number;
  readonly ratioToPaper: number;
  /** Largest difference from the readable kernels on a small network, relative to its largest output. */
  readonly checkedError: number;
  /** With dtype f16. */
  readonly f16Error?: DtypeError;
}

/** About what composites have: a disc in the middle. */
export const MASK_SHARE = 0.2;

const REPEATS = { least: 3, most: 100 };
/** Kernels agree to the rounding of what they store, which some tens of layers hand on. */
const MAX_RELATIVE_ERROR: Readonly<Record<DType, number>> = { f32: 1e-4, f16: 2 ** -11 * 16 };

export async function benchModel(
  device: GPUDevice,
  options: ModelBenchOptions,
): Promise<{ row: ModelRow; passes: readonly PassTiming[] }> {
  const { config, size, batch, software, matrixUnits, dtype, roofline, seconds, signal, onProgress } = options;
  const checkedError = await checkSmallNetwork(device, config, { software, matrixUnits, dtype });
  const model = loadModel(initialTensors(config, 1), {}, config);
  const network = new Network(model, device, { software, matrixUnits, dtype });
  try {
    const shape = [batch, size, size] as const;
    const x = Float32Array.from(fillArray([...shape, 4], 1, "unit").data);
    const plan = await network.plan(shape, { signal, onProgress });
    const firstStarted = performance.now();
    const { outputs } = await plan.run({ x }, { signal });
    const firstRunMs = performance.now() - firstStarted;
    const y = outputs.y ?? new Float32Array(0);
    const gpu: number[] = [];
    const wall = await collect(
      async () => {
        const started = performance.now();
        const { gpuMs } = await plan.run({ x }, { signal });
        if (gpuMs !== null) gpu.push(gpuMs);
        return performance.now() - started;
      },
      { ...REPEATS, ms: 1000 * seconds },
    );
    const run = async (input: Float32Array): Promise<number> => {
      const started = performance.now();
      await plan.run({ x: input }, { signal });
      return performance.now() - started;
    };
    const masked = withDisc(x, shape);
    const maskedMsMedian =
      config.arch === "unet"
        ? null
        : summarize(await collect(() => run(masked), { ...REPEATS, ms: 500 * seconds })).median;
    const timestamps = device.features.has("timestamp-query");
    const { timings } = timestamps ? await plan.run({ x }, { profile: true, signal }) : { timings: [] };
    const { median, min, p95, spread, count } = summarize(wall);
    const gpuMsMedian = gpu.length > 0 ? medianOf(gpu) : null;
    const f16Error = dtype === "f16" ? await dtypeErrorOf(network, x, shape, y) : null;
    const { dispatches, activationBytes, scratchBytes, weightBytes, compileMs } = plan.parts;
    const { flops, bytes, movedBytes } = costOf(dispatches);
    return {
      passes: timings,
      row: {
        name: config.arch,
        width: config.width,
        levels: config.levels,
        size,
        batch,
        dtype,
        parameters: model.parameterCount,
        gflop: flops / 1e9,
        dispatches: dispatches.length,
        bytes,
        movedBytes,
        ...floored(dispatches, roofline, gpuMsMedian ?? median),
        msMedian: median,
        maskedMsMedian,
        msMin: min,
        msP95: p95,
        spread,
        runs: count,
        gpuMsMedian,
        firstRunMs,
        compileMs,
        activationBytes,
        scratchBytes,
        weightBytes,
        peakBytes: network.runtime.memory.peakBytes,
        ratioToPaper: median / batch / PAPER_MS,
        checkedError,
        ...(f16Error && { f16Error }),
      },
    };
  } finally {
    await network.dispose();
  }
}

/** The same pictures, their masks a disc. */
function withDisc(x: Float32Array, [, h, w]: NetworkShape): Float32Array {
  const radius2 = (MASK_SHARE * h * w) / Math.PI;
  return x.map((value, i) => {
    if (i % 4 !== 3) return value;
    const pixel = (i - 3) / 4;
    const [row, column] = [Math.floor(pixel / w) % h, pixel % w];
    return (row - h / 2) ** 2 + (column - w / 2) ** 2 < radius2 ? 1 : 0;
  });
}

/** The same architecture, small, with the kernels that were chosen and with the readable ones. */
async function checkSmallNetwork(
  device: GPUDevice,
  config: ModelConfig,
  options: Pick<ModelBenchOptions, "software" | "matrixUnits" | "dtype">,
): Promise<number> {
  const small = { ...config, width: Math.max(16, MIN_WIDTH[config.arch]), levels: MIN_LEVELS };
  // Drawn as without the global skip, which starts from a last layer of zeros: there would be nothing to compare.
  const model = loadModel(initialTensors({ ...small, globalSkip: false }, 2), {}, small);
  const size = sizeMultiple(small);
  const x = Float32Array.from(fillArray([1, size, size, 4], 2, "unit").data);
  const runs: Float32Array[] = [];
  for (const force of [{}, { conv2d: "direct", conv2d_compose: "direct", conv_transpose2d: "direct" }]) {
    const network = new Network(model, device, { ...options, force });
    const { outputs } = await network.run(x, [1, size, size]);
    runs.push(outputs.y ?? new Float32Array(0));
    await network.dispose();
  }
  const [chosen, readable] = runs as [Float32Array, Float32Array];
  let [difference, largest] = [0, 0];
  readable.forEach((value, i) => {
    const error = Math.abs(value - (chosen[i] ?? Number.NaN));
    difference = Math.max(difference, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
    largest = Math.max(largest, Math.abs(value));
  });
  const relative = difference / largest;
  if (!(relative <= MAX_RELATIVE_ERROR[options.dtype])) {
    throw new Error(
      `${config.arch}: the kernels chosen on this device differ from the readable ones by ${relative} on a small network, so it is not timed`,
    );
  }
  return relative;
}
