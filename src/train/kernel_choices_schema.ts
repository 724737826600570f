/** Which kernels a training computes with, as its checkpoints keep it. */
import * as v from "valibot";

export const kernelChoicesSchema = v.strictObject({
  /** Whose they are: another adapter has other kernels, and other bits. */
  adapter: v.string(),
  /** Variant by problem. */
  choices: v.record(v.string(), v.string()),
});

export type KernelChoices = Readonly<v.InferOutput<typeof kernelChoicesSchema>>;
