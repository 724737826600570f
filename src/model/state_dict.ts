/** The state dict as PyTorch's network has it: what a strict load asks for beside the parameters. */
import { fromFloat32, type HostTensor } from "../io/tensor_data.js";
import { blurTaps } from "../kernels/gaussian_blur/taps.js";
import { type Blur, lacks, type ModelConfig } from "./config.js";
import { ATTENTION_LEVELS, levelKey } from "./unet.js";

/**
 * The tensors, with every batch norm's `num_batches_tracked` and every blurring module's `gaussianMask.weight` added
 * where they are absent; inference and training here need neither.
 * @param batches that trained the running statistics
 */
export function completeStateDict(
  tensors: ReadonlyMap<string, HostTensor>,
  config: ModelConfig,
  batches: number,
): Map<string, HostTensor> {
  const complete = new Map(tensors);
  const add = (key: string, make: () => HostTensor): void => {
    if (!complete.has(key)) complete.set(key, make());
  };
  for (const key of tensors.keys()) {
    const norm = /^(.*)\.running_var$/.exec(key)?.[1];
    if (norm !== undefined) add(`${norm}.num_batches_tracked`, () => scalar(batches));
  }
  if (config.arch !== "unet" && !lacks(config, "blur")) {
    for (const k of ATTENTION_LEVELS) {
      add(`${levelKey(k)}.attention.gaussianMask.weight`, () => gaussianMask(config.blur));
    }
  }
  return complete;
}

const scalar = (value: number): HostTensor => ({
  dtype: "I64",
  shape: [],
  data: new Uint8Array(BigInt64Array.of(BigInt(value)).buffer),
});

/** [1, 1, taps, taps] */
function gaussianMask(blur: Blur): HostTensor {
  const byDistance = blurTaps(blur);
  const line = [...byDistance.slice(1).reverse(), ...byDistance];
  const values = line.flatMap((down) => line.map((across) => down * across));
  return fromFloat32(Float32Array.from(values), [1, 1, line.length, line.length], "F32");
}
