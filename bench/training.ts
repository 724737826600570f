/** Times whole training steps: forward, backward, guard and Adam, loss read back. */
import type { CompileProgress } from "../src/graph/compile.js";
import { Runtime } from "../src/graph/runtime.js";
import { fillArray } from "../src/kernels/suite.js";
import type { ModelConfig } from "../src/model/config.js";
import { initialTensors } from "../src/model/init.js";
import { TrainStep } from "../src/train/train_step.js";
import { collect, summarize } from "./statistics.js";

export interface TrainingBenchOptions {
  readonly config: ModelConfig;
  readonly size: number;
  readonly batch: number;
  readonly recompute: boolean;
  readonly software: boolean;
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
  readonly steps: number;
  readonly imagesPerSecond: number;
  readonly gflop: number;
  readonly dispatches: number;
  readonly activationBytes: number;
  readonly parameterBytes: number;
  readonly optimizerBytes: number;
  /** Of the first and the last step on one batch: a bench that does not learn measures something else. */
  readonly losses: readonly [first: number, last: number];
}

const BUDGET = { ms: 10_000, least: 5, most: 50 };
const LEARNING_RATE = 1e-3;

/** @throws Error when the loss on one batch does not fall: then the step is not what it should be */
export async function benchTraining(device: GPUDevice, options: TrainingBenchOptions): Promise<TrainingRow> {
  const { config, size, batch, recompute, software, onProgress } = options;
  const runtime = new Runtime(device, { software });
  try {
    const asked = { config, batch, size, loss: "mse", optimizer: { name: "adam" }, recompute, onProgress } as const;
    const training = await TrainStep.create(runtime, asked, initialTensors(config, 1));
    const x = Float32Array.from(fillArray([batch, size, size, 4], 1, "unit").data);
    const target = Float32Array.from(fillArray([batch, size, size, 3], 2, "unit").data);
    const losses: number[] = [];
    const step = async (): Promise<number> => {
      const started = performance.now();
      losses.push((await training.step({ x, target }, { lr: LEARNING_RATE })).loss);
      return performance.now() - started;
    };
    await step(); // compiles what the driver left for the first run
    const { median, min, p95, count } = summarize(await collect(step, BUDGET));
    const [first = Number.NaN, last = Number.NaN] = [losses[0], losses.at(-1)];
    if (!(last < first))
      throw new Error(`training step: the loss on one batch went from ${first} to ${last}, so it is not timed`);
    const { activationBytes, parameterBytes, optimizerBytes } = training.memory;
    await training.dispose();
    return {
      name: config.arch,
      width: config.width,
      levels: config.levels,
      size,
      batch,
      recompute,
      msMedian: median,
      msMin: min,
      msP95: p95,
      steps: count,
      imagesPerSecond: (1000 * batch) / median,
      gflop: training.dispatches.reduce((sum, { flops }) => sum + flops, 0) / 1e9,
      dispatches: training.dispatches.length,
      activationBytes,
      parameterBytes,
      optimizerBytes,
      losses: [first, last],
    };
  } finally {
    runtime.dispose();
  }
}
