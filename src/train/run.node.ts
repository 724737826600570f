/** One training from its settings to its folder: the step on the device, the loop, and what each event writes. */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { encodeImage } from "../image/codec.node.js";
import { fromFloat32, type HostTensor, toFloat32 } from "../io/tensor_data.js";
import { metadataOf, showParts } from "../model/config.js";
import { parameterShapes } from "../model/weights.js";
import type { Checkpoint } from "./checkpoint_format.node.js";
import { modelConfigOf, scheduleOf } from "./config.js";
import type { CreatedStep } from "./create_step.js";
import type { TrainListener } from "./events.js";
import { freshProgress, type Progress } from "./progress.js";
import { type ReportSample, reportHtml } from "./report.js";
import type { RunFolder } from "./run_folder.node.js";
import { learningRate } from "./schedules.js";
import { type BatchSource, type Outcome, type StepRecord, Trainer, type ValidationRecord } from "./trainer.js";
import { type Validation, type ValidationPictures, validate } from "./validation.js";

/** Batches of `batch * accumulate` images, and what to measure them by. */
export interface TrainingData extends BatchSource {
  /** To train on. */
  readonly pictures: number;
  readonly stepsPerEpoch: number;
  readonly validation: ValidationPictures;
}

export interface TrainRunOptions extends CreatedStep {
  readonly folder: RunFolder;
  /** To go on from; null begins. */
  readonly checkpoint: Checkpoint | null;
  readonly data: TrainingData;
  /** The adapter's name. */
  readonly adapter: string;
  readonly tell: TrainListener;
  /** Ends the run after the step under way. */
  readonly signal: AbortSignal;
}

export interface TrainSummary {
  readonly outcome: Outcome;
  readonly progress: Progress;
  readonly steps: number;
  readonly psnr: number | null;
  readonly baselinePsnr: number | null;
}

/** Pictures in the report. */
const STRIPS = 6;
/** The report is written after a validation, but no more often. */
const REPORT_SECONDS = 20;

/** @throws DivergedError; InputError where the folder can no longer be written to */
export async function trainRun(options: TrainRunOptions): Promise<TrainSummary> {
  const run = new TrainRun(options);
  try {
    return await run.start();
  } finally {
    await options.folder.close();
  }
}

class TrainRun {
  private readonly progress: Progress;
  private readonly steps: number;
  private validation: Validation | null = null;
  private reportedAt = 0;
  /** Seconds a step, averaged over the last ones but for the first, which waits for everything. */
  private pace = 0;
  private timed = 0;

  constructor(private readonly options: TrainRunOptions) {
    const { config, checkpoint, data } = options;
    this.progress = structuredClone(checkpoint?.state.progress ?? freshProgress());
    this.steps = config.steps ?? (config.epochs ?? 1) * data.stepsPerEpoch;
  }

  async start(): Promise<TrainSummary> {
    const { folder, config, step, checkpoint, data, runtime, signal } = this.options;
    if (checkpoint)
      step.writeState(new Map(Array.from(checkpoint.tensors, ([key, tensor]) => [key, toFloat32(tensor)])));
    await folder.begin(config);
    await folder.openLogs(this.progress);
    const model = modelConfigOf(config);
    const trainer = new Trainer(
      {
        step,
        source: data,
        validate: async (weights, signal) => {
          this.validation = await validate(
            runtime,
            weights,
            data.validation,
            { config: model, size: config.size, strips: STRIPS },
            signal,
          );
          return this.validation;
        },
        save: (progress) => this.save(progress),
        saveBest: (weights, record) => folder.writeWeights("best", weights, this.metadata(record)),
        onStep: (record) => this.onStep(record),
        onValidation: (record) => this.onValidation(record),
      },
      {
        steps: this.steps,
        lr: (at) => learningRate(scheduleOf(config), at, this.steps),
        validateEvery: config.valEvery,
        saveEvery: config.saveEvery,
        maxSkipped: config.maxSkipped,
        average: config.ema > 0,
        images: config.batch * config.accumulate,
      },
      this.progress,
      checkpoint !== null,
    );
    const begun = this.progress.step;
    const outcome = await trainer.run(signal).catch(async (error: unknown) => {
      await this.report().catch(() => {}); // the first error says what is wrong
      throw error;
    });
    const { validation, progress, steps } = this;
    if (progress.step > begun || validation) await this.report();
    return { outcome, progress, steps, psnr: validation?.psnr ?? null, baselinePsnr: validation?.baselinePsnr ?? null };
  }

  private async save(progress: Progress): Promise<void> {
    const { folder, step, config, kernels, tell } = this.options;
    const shapes = parameterShapes(modelConfigOf(config));
    const tensors = new Map<string, HostTensor>();
    for (const [name, values] of await step.readState()) {
      const key = name.slice(name.indexOf("/") + 1);
      tensors.set(name, fromFloat32(values, shapes.get(key) ?? [values.length], "F32"));
    }
    const weights = Array.from(shapes.keys(), (key): [string, HostTensor] => {
      const tensor = (config.ema > 0 && tensors.get(`ema/${key}`)) || tensors.get(`param/${key}`);
      if (!tensor) throw new Error(`training: the state lacks ${key}`);
      return [key, tensor];
    });
    // The weights first: a checkpoint says that everything before it is there.
    await folder.writeWeights(
      "last",
      new Map(weights),
      this.metadata({ step: progress.step, epoch: progress.position.epoch }),
    );
    const path = await folder.checkpoints.save({ state: { progress, config, kernels }, tensors });
    tell({ event: "saved", step: progress.step, path });
  }

  private async onStep(record: StepRecord): Promise<void> {
    const { folder, tell } = this.options;
    const { step, epoch, loss, lr, gradientNorm, nonFinite, skipped, images, seconds } = record;
    const imagesPerSecond = images / Math.max(seconds, 1e-6);
    await folder.logStep({ step, epoch, loss, lr, gradientNorm, skipped, imagesPerSecond });
    this.timed += 1;
    this.pace += Math.max(0.05, 1 / Math.max(1, this.timed - 1)) * (seconds - this.pace);
    const secondsLeft = Math.max(0, this.steps - step) * this.pace;
    tell({ event: "step", step, steps: this.steps, epoch, loss, lr, gradientNorm, imagesPerSecond, secondsLeft });
    if (skipped) tell({ event: "warning", message: `step ${step} was skipped: ${blame(nonFinite)}` });
  }

  private async onValidation(record: ValidationRecord): Promise<void> {
    const { folder, tell } = this.options;
    const { step, epoch, psnr, ssim, mse, fmse, isBest } = record;
    await folder.logValidation({ step, epoch, psnr, ssim, mse, fmse });
    const baselinePsnr = this.validation?.baselinePsnr ?? Number.NaN;
    tell({ event: "validation", step, epoch, psnr, ssim, mse, fmse, baselinePsnr, isBest });
    if (performance.now() - this.reportedAt >= REPORT_SECONDS * 1000 || this.reportedAt === 0) await this.report();
  }

  private async report(): Promise<void> {
    const { folder, config, adapter } = this.options;
    const { progress, validation, steps } = this;
    this.reportedAt = performance.now();
    const samples: ReportSample[] = [];
    for (const { name, strip, psnrBefore, psnr } of validation?.strips ?? []) {
      const png = await encodeImage(strip, "png");
      samples.push({ name, caption: `${psnrBefore.toFixed(2)} dB before, ${psnr.toFixed(2)} dB after`, png });
      await folder.logPicture(progress.validatedStep, name, { width: strip.width, height: strip.height, png });
    }
    const without = config.without.length > 0 ? ` without ${showParts(config.without)}` : "";
    const best = progress.best && `${progress.best.psnr.toFixed(2)} dB at step ${progress.best.step}`;
    const html = reportHtml({
      title: `${config.arch} of width ${config.width}${without} at ${config.size} x ${config.size}`,
      facts: {
        steps: `${progress.step} of ${steps}, ${progress.position.epoch} epochs`,
        "best validation": best ?? "none yet",
        adapter,
      },
      settings: config,
      history: folder.history,
      baselinePsnr: validation?.baselinePsnr ?? null,
      samples,
      chartLibrary: await chartLibrary(),
    });
    await folder.writeReport(html);
  }

  private metadata({ step, epoch, psnr }: { step: number; epoch: number; psnr?: number }): Record<string, string> {
    const model = metadataOf(modelConfigOf(this.options.config));
    return { ...model, step: String(step), epoch: String(epoch), ...(psnr !== undefined && { psnr: psnr.toFixed(4) }) };
  }
}

function blame(nonFinite: readonly string[]): string {
  if (nonFinite.length === 0) return "its loss is not finite";
  const more = nonFinite.length > 3 ? ` and ${nonFinite.length - 3} more` : "";
  return `not finite are the gradients of ${nonFinite.slice(0, 3).join(", ")}${more}`;
}

/** uPlot as its package ships it, to be inlined. */
async function chartLibrary(): Promise<{ script: string; style: string }> {
  const folder = join(dirname(createRequire(import.meta.url).resolve("uplot/package.json")), "dist");
  const [script, style] = await Promise.all(
    ["uPlot.iife.min.js", "uPlot.min.css"].map((name) => readFile(join(folder, name), "utf8")),
  );
  return { script: script ?? "", style: style ?? "" };
}
