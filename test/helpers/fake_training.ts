/** A training without a GPU: a step whose bits depend on every batch and on its order, and batches that follow from a seed. */

import { fromFloat32, type HostTensor } from "../../src/io/tensor_data.js";
import { mulberry32 } from "../../src/random.js";
import type { DataPosition } from "../../src/train/progress.js";
import type { StepResult, TrainBatch } from "../../src/train/train_step.js";
import type { BatchSource, PositionedBatch, TrainStepLike } from "../../src/train/trainer.js";

export interface FakeStep extends TrainStepLike {
  readonly w: Float32Array;
  readonly m: Float32Array;
  readonly state: () => Map<string, HostTensor>;
  readonly restore: (tensors: ReadonlyMap<string, HostTensor>) => void;
}

/** @param spoilt steps, counted from 1, whose gradients are not finite */
export function fakeStep(spoilt: (step: number) => boolean = () => false): FakeStep {
  const [w, m] = [new Float32Array(4).fill(0.5), new Float32Array(4)];
  let taken = 0;
  const tensor = (values: Float32Array): HostTensor => fromFloat32(values.slice(), [values.length], "F32");
  return {
    w,
    m,
    updates: 0,
    async step({ x }: TrainBatch, { lr }): Promise<StepResult> {
      taken += 1;
      if (spoilt(taken)) return { loss: Number.NaN, gradientNorm: Number.NaN, nonFinite: ["w"], timings: [] };
      this.updates += 1;
      for (let i = 0; i < w.length; i++) {
        const gradient = Math.sin((x[i] ?? 0) + (w[i] ?? 0));
        m[i] = 0.9 * (m[i] ?? 0) + 0.1 * gradient;
        w[i] = (w[i] ?? 0) - (lr * (m[i] ?? 0)) / (1 - 0.9 ** this.updates);
      }
      return { loss: w.reduce((sum, value) => sum + value * value, 0), gradientNorm: 1, nonFinite: [], timings: [] };
    },
    weights: async () => new Map([["w", tensor(w)]]),
    state: () =>
      new Map([
        ["param/w", tensor(w)],
        ["m/w", tensor(m)],
      ]),
    restore(tensors) {
      w.set(new Float32Array(tensors.get("param/w")?.data.slice().buffer ?? new ArrayBuffer(16)));
      m.set(new Float32Array(tensors.get("m/w")?.data.slice().buffer ?? new ArrayBuffer(16)));
    },
  };
}

export const STEPS_PER_EPOCH = 3;

export function fakeSource(seed = 1): BatchSource {
  return {
    async *batches(from: DataPosition): AsyncGenerator<PositionedBatch> {
      for (let { epoch, index } = from; ; ) {
        const draw = mulberry32(seed * 1000 + epoch * 10 + index);
        const x = Float32Array.from({ length: 4 }, draw);
        [epoch, index] = index + 1 < STEPS_PER_EPOCH ? [epoch, index + 1] : [epoch + 1, 0];
        yield { x, target: x, next: { epoch, index } };
      }
    },
  };
}
