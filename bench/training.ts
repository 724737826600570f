/** Times whole training steps: forward, backward, guard and Adam, loss read back. */
import type { CompileProgress } from "../src/graph/compile.js";
import type { PassTiming } from "../src/graph/plan.js";
import { Runtime } from "../src/graph/runtime.js";
import { fillArray } from "../src/kernels/suite.js";
import type { ModelConfig } from "../src/model/config.js";
import { initialTensors } from "../src/model/init.js";
import { TrainStep } from "../src/train/train_step.js";
import { msOf } from "./breakdown.js";
import { type Bound, costOf, floored } from "./floors.js";
import type { Roofline } from "./roofline/roofline.js";
import { collect, summarize } from "./statistics.js";

export interface TrainingBenchOptions {
  readonly config: ModelConfig;
  readonly size: number;
  readonly batch: number;
  readonly recompute: boolean;
  readonly software: boolean;
  /** What times are held against; null for none. */
  readonly roofline: Roofline | null;
  /** Of repeats, at most. */
  readonly seconds: number;
  readonly onProgress: (progress: CompileProgress) => void;
}

export interface TrainingRow {
  readonly name: string;
  readonly width: number;
  readonly levels: number;
  readonly size: number;
  readonly batch: number;
  readonly recompute: boolean;
  readonly msMedian: number;
  readonly msMin: number;
  readonly msP95: number;
  /** From the lower to the upper quartile, as a share of the median. */
  readonly spread: number;
  readonly steps: number;
  /** The passes of one profiled step; null without timestamps. */
  readonly gpuMs: number | null;
  readonly imagesPerSecond: number;
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
  /** Activations, gradients and scratch, sharing buffers by liveness. */
  readonly activationBytes: number;
  /** The most scratch alive at once. */
  readonly scratchBytes: number;
  /** The most in buffers at any time, compiling counted in. */
  readonly peakBytes: number;
  readonly parameterBytes: number;
  readonly optimizerBytes: number;
  /** Of the first and the last step on one batch: a bench that does not learn measures something else. */
  readonly losses: readonly [first: number, last: number];
}

const REPEATS = { least: 5, most: 50 };
const LEARNING_RATE = 1e-3;
/** A query set holds two timestamps each of so many passes. */
const MOST_PROFILED = 2048;

/** @throws Error when the loss on one batch does not fall: then the step is not what it should be */
export async function benchTraining(
  device: GPUDevice,
  options: TrainingBenchOptions,
): Promise<{ row: TrainingRow; passes: readonly PassTiming[] }> {
  const { config, size, batch, recompute, software, roofline, seconds, onProgress } = options;
  const runtime = new Runtime(device, { software });
  try {
    const asked = { config, batch, size, loss: "mse", optimizer: { name: "adam" }, recompute, onProgress } as const;
    const training = await TrainStep.create(runtime, asked, initialTensors(config, 1));
    const x = Float32Array.from(fillArray([batch, size, size, 4], 1, "unit").data);
    const target = Float32Array.from(fillArray([batch, size, size, 3], 2, "unit").data);
    const losses: number[] = [];
    let passes: readonly PassTiming[] = [];
    const step = async (profile = false): Promise<number> => {
      const started = performance.now();
      const { loss, timings } = await training.step({ x, target }, { lr: LEARNING_RATE, profile });
      losses.push(loss);
      passes = timings;
      return performance.now() - started;
    };
    await step(); // compiles what the driver left for the first run
    const { median, min, p95, spread, count } = summarize(
      await collect(() => step(), { ...REPEATS, ms: 1000 * seconds }),
    );
    const { dispatches } = training;
    if (device.features.has("timestamp-query") && dispatches.length <= MOST_PROFILED) await step(true);
    const gpuMs = passes.length > 0 ? msOf(passes) : null;
    const [first = Number.NaN, last = Number.NaN] = [losses[0], losses.at(-1)];
    if (!(last < first))
      throw new Error(`training step: the loss on one batch went from ${first} to ${last}, so it is not timed`);
    const { memory } = training;
    const { flops, bytes, movedBytes } = costOf(dispatches);
    const { peakBytes } = runtime.memory;
    await training.dispose();
    const row: TrainingRow = {
      name: config.arch,
      width: config.width,
      levels: config.levels,
      size,
      batch,
      recompute,
      msMedian: median,
      msMin: min,
      msP95: p95,
      spread,
      steps: count,
      gpuMs,
      imagesPerSecond: (1000 * batch) / median,
      gflop: flops / 1e9,
      dispatches: dispatches.length,
      bytes,
      movedBytes,
      ...floored(dispatches, roofline, gpuMs ?? median),
      ...memory,
      peakBytes,
      losses: [first, last],
    };
    return { row, passes };
  } finally {
    runtime.dispose();
  }
}
