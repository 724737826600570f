/** What a training has logged, as rows of a CSV that pandas reads, and back: a resumed run goes on in the same file. */
import type { StepRecord, ValidationRecord } from "./trainer.js";

const COLUMNS = [
  "step",
  "epoch",
  "split",
  "loss",
  "lr",
  "gradient_norm",
  "skipped",
  "images_per_second",
  "psnr",
  "ssim",
  "mse",
  "fmse",
] as const;

export const CSV_HEADER = `${COLUMNS.join(",")}\n`;

export interface TrainRow extends Pick<StepRecord, "step" | "epoch" | "loss" | "lr" | "gradientNorm" | "skipped"> {
  readonly imagesPerSecond: number;
}
export type ValidationRow = Omit<ValidationRecord, "isBest">;

export interface History {
  readonly train: readonly TrainRow[];
  readonly validation: readonly ValidationRow[];
}

/** Numbers are written so that they read back as the same number. */
export const trainLine = (row: TrainRow): string =>
  `${row.step},${row.epoch},train,${row.loss},${row.lr},${row.gradientNorm},${row.skipped ? 1 : 0},${row.imagesPerSecond.toFixed(3)},,,,\n`;

export const validationLine = ({ step, epoch, psnr, ssim, mse, fmse }: ValidationRow): string =>
  `${step},${epoch},val,,,,,,${psnr},${ssim},${mse},${fmse}\n`;

/**
 * The rows up to and with `lastStep`, and how many characters of the text they take. A row that a full disk or a kill
 * cut short ends the reading, as do rows of steps that will be taken again.
 * @param validatedStep validations after it will be made again
 */
export function parseHistory(
  text: string,
  lastStep: number,
  validatedStep: number,
): { history: History; length: number } {
  const train: TrainRow[] = [];
  const validation: ValidationRow[] = [];
  let length = text.startsWith(CSV_HEADER) ? CSV_HEADER.length : 0;
  while (length > 0) {
    const end = text.indexOf("\n", length);
    const fields = text.slice(length, Math.max(end, 0)).split(",");
    const [
      step = 0,
      epoch = 0,
      ,
      loss = 0,
      lr = 0,
      gradientNorm = 0,
      skipped,
      imagesPerSecond = 0,
      psnr = 0,
      ssim = 0,
      mse = 0,
      fmse = 0,
    ] = fields.map(Number);
    const isTrain = fields[2] === "train";
    if (end < 0 || fields.length !== COLUMNS.length || step > (isTrain ? lastStep : validatedStep)) break;
    if (isTrain) train.push({ step, epoch, loss, lr, gradientNorm, skipped: skipped === 1, imagesPerSecond });
    else validation.push({ step, epoch, psnr, ssim, mse, fmse });
    length = end + 1;
  }
  return { history: { train, validation }, length };
}
