/**
 * The loop around the training step: what to do after each one, and in which order, so that a run which is cut anywhere
 * and resumed takes the same steps as one that was not. It knows neither files nor terminals.
 */
import { DivergedError } from "../errors.js";
import type { HostTensor } from "../io/tensor_data.js";
import type { DataPosition, Progress } from "./progress.js";
import type { StepResult, TrainBatch, TrainStep } from "./train_step.js";

/** What the loop asks of a `TrainStep`. */
export type TrainStepLike = Pick<TrainStep, "step" | "weights" | "updates">;

export interface PositionedBatch extends TrainBatch {
  /** Where the batch after this one begins. */
  readonly next: DataPosition;
}

export interface BatchSource {
  /** The batches from a position on, without end; the same position gives the same ones. */
  batches(from: DataPosition): AsyncIterator<PositionedBatch>;
}

export interface StepRecord extends StepResult {
  /** Counted from 1. */
  readonly step: number;
  /** Counted from 1. */
  readonly epoch: number;
  readonly lr: number;
  readonly skipped: boolean;
  readonly images: number;
  /** From batch to batch, the wait for data counted in. */
  readonly seconds: number;
}

/** Means over the validation pictures. */
export interface ValidationMetrics {
  readonly psnr: number;
  readonly ssim: number;
  readonly mse: number;
  /** Mean squared error over the foreground. */
  readonly fmse: number;
}

export interface ValidationRecord extends ValidationMetrics {
  readonly step: number;
  /** Epochs completed. */
  readonly epoch: number;
  readonly isBest: boolean;
}

export interface TrainerOptions {
  /** Steps in all, those of the resumed run counted in. */
  readonly steps: number;
  readonly lr: (step: number) => number;
  /** Epochs from one validation to the next; the end is always validated. */
  readonly validateEvery: number;
  /** Steps from one save to the next; null: once in `SAVE_SECONDS`. Start, end and interruption are always saved. */
  readonly saveEvery: number | null;
  /** So many skipped steps in a row end the training. */
  readonly maxSkipped: number;
  /** Validates the averaged weights instead of the current ones. */
  readonly average: boolean;
  /** Images a step. */
  readonly images: number;
}

export interface TrainerParts {
  readonly step: TrainStepLike;
  readonly source: BatchSource;
  /** @throws AbortedError when the signal fires */
  readonly validate: (weights: Map<string, HostTensor>, signal: AbortSignal) => Promise<ValidationMetrics>;
  /** Keeps the state as a checkpoint; called only with a state that trains well. */
  readonly save: (progress: Progress) => Promise<void>;
  /** Keeps the weights of the best validation so far. */
  readonly saveBest: (weights: Map<string, HostTensor>, record: ValidationRecord) => Promise<void>;
  readonly onStep: (record: StepRecord) => void | Promise<void>;
  readonly onValidation: (record: ValidationRecord) => void | Promise<void>;
  /** Milliseconds. */
  readonly now?: () => number;
}

/** Long enough that saving costs a training little, short enough that losing it does. */
const SAVE_SECONDS = 60;

export type Outcome = "finished" | "interrupted";

export class Trainer {
  private readonly now: () => number;
  private savedStep: number | null;
  private savedAt: number;

  /**
   * @param progress where to begin: fresh, or a checkpoint's, whose tensors the step already holds; kept up to date in place
   * @param isSaved whether that is a checkpoint's
   */
  constructor(
    private readonly parts: TrainerParts,
    private readonly options: TrainerOptions,
    private readonly progress: Progress,
    isSaved: boolean,
  ) {
    this.now = parts.now ?? (() => performance.now());
    this.savedStep = isSaved ? progress.step : null;
    this.savedAt = this.now();
    parts.step.updates = progress.updates;
  }

  /**
   * @param signal ends the run after the step under way, with a save
   * @throws DivergedError after too many skipped steps in a row; whatever step, source, validate and save throw
   */
  async run(signal: AbortSignal): Promise<Outcome> {
    const { progress, options } = this;
    const batches = this.parts.source.batches(progress.position);
    try {
      for (;;) {
        const finished = progress.step >= options.steps;
        if (!signal.aborted && this.isValidationDue(finished)) await this.validate(signal);
        const interrupted = signal.aborted;
        if (this.isSaveDue(finished || interrupted)) await this.save();
        if (finished && progress.validatedStep === progress.step) return "finished";
        if (interrupted) return "interrupted";
        await this.step(batches);
      }
    } finally {
      await batches.return?.();
    }
  }

  private async step(batches: AsyncIterator<PositionedBatch>): Promise<void> {
    const { parts, options, progress } = this;
    const started = this.now();
    const { value: batch, done } = await batches.next();
    if (done) throw new Error("training: the batches came to an end");
    const lr = options.lr(progress.step);
    const result = await parts.step.step(batch, { lr });
    const skipped = result.nonFinite.length > 0 || !Number.isFinite(result.loss);
    const epoch = progress.position.epoch + 1;
    progress.step += 1;
    progress.updates = parts.step.updates;
    progress.skippedInARow = skipped ? progress.skippedInARow + 1 : 0;
    progress.position = batch.next;
    const seconds = (this.now() - started) / 1000;
    await parts.onStep({ ...result, step: progress.step, epoch, lr, skipped, images: options.images, seconds });
    if (progress.skippedInARow >= options.maxSkipped) {
      const where = result.nonFinite[0] ? `the gradient of ${result.nonFinite[0]}` : "the loss";
      throw this.diverged(
        `${progress.skippedInARow} steps in a row were not finite (${where}) at a learning rate of ${lr}`,
      );
    }
  }

  private isValidationDue(finished: boolean): boolean {
    const { step, position, skippedInARow, validatedEpoch, validatedStep } = this.progress;
    if (step === validatedStep) return false;
    return finished || (skippedInARow === 0 && position.epoch - validatedEpoch >= this.options.validateEvery);
  }

  private async validate(signal: AbortSignal): Promise<void> {
    const { parts, progress } = this;
    const weights = await parts.step.weights(this.options.average ? "ema" : "param");
    const metrics = await parts.validate(weights, signal).catch((error: unknown) => {
      if (signal.aborted) return null; // due again when the run is resumed
      throw error;
    });
    if (!metrics) return;
    const isBest = metrics.psnr > (progress.best?.psnr ?? Number.NEGATIVE_INFINITY);
    const record = { ...metrics, step: progress.step, epoch: progress.position.epoch, isBest };
    progress.validatedEpoch = progress.position.epoch;
    progress.validatedStep = progress.step;
    if (isBest) {
      progress.best = { step: progress.step, psnr: metrics.psnr };
      await parts.saveBest(weights, record);
    }
    await parts.onValidation(record);
    if (progress.skippedInARow === 0) return;
    // The last steps of all were skipped: by chance, or because the weights are spoilt.
    if (Number.isNaN(metrics.psnr))
      throw this.diverged("the last steps were skipped and the network's output is not finite");
    progress.skippedInARow = 0;
  }

  /** Within a row of skipped steps nothing is saved: the weights may be spoilt, the last checkpoint is not. */
  private isSaveDue(ending: boolean): boolean {
    const { step, skippedInARow } = this.progress;
    if (skippedInARow > 0 || step === this.savedStep) return false;
    if (ending || this.savedStep === null) return true;
    const { saveEvery } = this.options;
    return saveEvery === null ? this.now() - this.savedAt >= SAVE_SECONDS * 1000 : step - this.savedStep >= saveEvery;
  }

  private async save(): Promise<void> {
    await this.parts.save(this.progress);
    this.savedStep = this.progress.step;
    this.savedAt = this.now();
  }

  private diverged(what: string): DivergedError {
    return new DivergedError(
      `training diverged at step ${this.progress.step}: ${what}; the checkpoint of step ${this.savedStep} is kept: ` +
        "lower --lr, or set --clip-norm or --warmup",
    );
  }
}
