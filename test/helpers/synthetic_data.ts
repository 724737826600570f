/** Training data without files: pictures of noise whose foreground was dimmed, in an order that follows from a seed. */
import { type FloatImage, newFloatImage } from "../../src/image/float.js";
import { mulberry32 } from "../../src/random.js";
import type { DataPosition } from "../../src/train/progress.js";
import type { TrainingData } from "../../src/train/run.node.js";
import type { PositionedBatch } from "../../src/train/trainer.js";
import type { ValidationSample } from "../../src/train/validation.js";

export function syntheticSample(index: number, size: number): ValidationSample {
  const draw = mulberry32(index + 1);
  const target = newFloatImage(size, size, 3);
  const base = [draw(), draw(), draw()];
  for (let i = 0; i < target.data.length; i++) target.data[i] = 0.8 * (base[i % 3] ?? 0) + 0.2 * draw();
  const mask: FloatImage<1> = newFloatImage(size, size, 1);
  for (let i = 0; i < mask.data.length; i++) mask.data[i] = i % size > size / 2 ? 1 : 0;
  const data = target.data.map((value, i) => value * (mask.data[Math.floor(i / 3)] === 1 ? 0.6 : 1));
  return { name: `synthetic ${index}`, composite: { ...target, data }, mask, target };
}

export function syntheticBatch(indices: readonly number[], size: number): { x: Float32Array; target: Float32Array } {
  const x = new Float32Array(indices.length * size * size * 4);
  const target = new Float32Array(indices.length * size * size * 3);
  indices.forEach((index, n) => {
    const sample = syntheticSample(index, size);
    target.set(sample.target.data, n * size * size * 3);
    for (let i = 0; i < size * size; i++) {
      const at = (n * size * size + i) * 4;
      for (let c = 0; c < 3; c++) x[at + c] = sample.composite.data[3 * i + c] ?? 0;
      x[at + 3] = sample.mask.data[i] ?? 0;
    }
  });
  return { x, target };
}

/** @param images a step */
export function syntheticData(pictures: number, size: number, images: number): TrainingData {
  const stepsPerEpoch = Math.floor(pictures / images);
  return {
    pictures,
    stepsPerEpoch,
    async *batches(from: DataPosition): AsyncGenerator<PositionedBatch> {
      for (let { epoch, index } = from; ; ) {
        const indices = Array.from({ length: images }, (_, i) => (7 * epoch + index + i) % pictures);
        index += images;
        if (index + images > pictures) [epoch, index] = [epoch + 1, 0];
        yield { ...syntheticBatch(indices, size), next: { epoch, index } };
      }
    },
    validation: { length: 2, load: async (index) => syntheticSample(index, size) },
  };
}
