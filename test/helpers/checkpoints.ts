/** Checkpoints small enough to be made by the thousand, and different at every step. */
import { fromFloat32 } from "../../src/io/tensor_data.js";
import { mulberry32 } from "../../src/random.js";
import type { Checkpoint } from "../../src/train/checkpoint_format.node.js";
import { resolveConfig } from "../../src/train/config.js";
import { freshProgress } from "../../src/train/progress.js";

/** @param values a tensor */
export function checkpointOf(step: number, values = 64): Checkpoint {
  const tensor = (seed: number) =>
    fromFloat32(Float32Array.from({ length: values }, mulberry32(seed)), [values], "F32");
  return {
    state: {
      progress: { ...freshProgress(), step, updates: step, position: { epoch: step, index: 0 } },
      config: resolveConfig({ data: "/photos", arch: "s2ad", width: 16, size: 128, batch: 4, steps: 1000 }),
    },
    tensors: new Map([
      ["m/w", tensor(3 * step)],
      ["param/w", tensor(3 * step + 1)],
      ["v/w", tensor(3 * step + 2)],
    ]),
  };
}
