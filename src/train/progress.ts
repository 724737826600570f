/** Where a training stands: everything but the tensors and the settings that a checkpoint keeps. */
import * as v from "valibot";

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** Where the next batch begins: the sample at `index` of the order of `epoch`, both from 0. */
export const dataPositionSchema = v.strictObject({ epoch: count, index: count });
export type DataPosition = v.InferOutput<typeof dataPositionSchema>;

export const progressSchema = v.strictObject({
  /** Steps taken, skipped ones counted in. */
  step: count,
  /** Steps that changed the weights: what Adam's bias correction counts. */
  updates: count,
  /** Steps in a row, up to now, whose loss or gradients were not finite. */
  skippedInARow: count,
  position: dataPositionSchema,
  /** Epochs that were complete, and steps that were taken, at the last validation. */
  validatedEpoch: count,
  validatedStep: count,
  /** The best validation so far; its weights lie beside the checkpoints. */
  best: v.nullable(v.strictObject({ step: count, psnr: v.number() })),
});
export type Progress = v.InferOutput<typeof progressSchema>;

export const freshProgress = (): Progress => ({
  step: 0,
  updates: 0,
  skippedInARow: 0,
  position: { epoch: 0, index: 0 },
  validatedEpoch: 0,
  validatedStep: 0,
  best: null,
});
