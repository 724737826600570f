/** PROVISIONAL until src/data/loader.node.ts stands: a flat folder, decoded on the main thread. */
import { readdir } from "node:fs/promises";
import { join, parse } from "node:path";
import { InputError } from "../errors.js";
import { decodeImage } from "../image/codec.node.js";
import { type FloatImage, stackMask } from "../image/float.js";
import { maskFromImage } from "../image/mask.js";
import { resize, resizeToRgb } from "../image/resize.js";
import type { TrainConfig } from "../train/config.js";
import type { TrainListener } from "../train/events.js";
import type { DataPosition } from "../train/progress.js";
import type { TrainingData } from "../train/run.node.js";
import type { PositionedBatch } from "../train/trainer.js";
import type { ValidationSample } from "../train/validation.js";

export async function openTrainingData(
  { data, size, batch, accumulate }: TrainConfig,
  _tell: TrainListener,
): Promise<TrainingData & { close: () => Promise<void> }> {
  const files = await readdir(data).catch((cause: unknown) => {
    throw new InputError(`${data}: cannot be read`, { cause });
  });
  const names = files.filter((file) => file.endsWith("_mask.png")).map((file) => file.replace("_mask.png", ""));
  if (names.length === 0) throw new InputError(`${data}: holds no pictures`);
  const find = (stem: string): string => join(data, files.find((file) => parse(file).name === stem) ?? "");
  const load = async (index: number): Promise<ValidationSample> => {
    const name = names[index % names.length] ?? "";
    const rgb = async (stem: string): Promise<FloatImage<3>> => resizeToRgb(await decodeImage(find(stem)), size, size);
    const mask = resize(maskFromImage(await decodeImage(find(`${name}_mask`))), size, size);
    return { name, composite: await rgb(name), mask, target: await rgb(`${name}_real`) };
  };
  const images = batch * accumulate;
  return {
    pictures: names.length,
    stepsPerEpoch: Math.max(1, Math.floor(names.length / images)),
    source: {
      async *batches(from: DataPosition): AsyncGenerator<PositionedBatch> {
        for (let { epoch, index } = from; ; ) {
          const samples = await Promise.all(Array.from({ length: images }, (_, i) => load(index + i)));
          const x = new Float32Array(images * size * size * 4);
          const target = new Float32Array(images * size * size * 3);
          samples.forEach((sample, n) => {
            x.set(stackMask(sample.composite, sample.mask).data, n * size * size * 4);
            target.set(sample.target.data, n * size * size * 3);
          });
          index += images;
          if (index + images > names.length) [epoch, index] = [epoch + 1, 0];
          yield { x, target, next: { epoch, index } };
        }
      },
    },
    validation: { length: names.length, load },
    close: async () => {},
  };
}
