/** Small folders of training pictures, in every layout, for tests to spoil. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { encodeImage } from "../../src/image/codec.node.js";
import type { Image } from "../../src/image/image.js";
import { mulberry32 } from "../../src/random.js";
import { boxMask } from "./command_line.js";

export interface Form {
  readonly width: number;
  readonly height: number;
}

const FORM: Form = { width: 40, height: 30 };

/** A photograph of smooth colours, and a composite whose box in the middle was tinted: both follow from the number. */
export function triple(number: number, { width, height } = FORM): Record<"composite" | "mask" | "target", Image> {
  const uniform = mulberry32(number + 1);
  const [a, b, c] = [uniform(), uniform(), uniform()];
  const target = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [(i % width) / width, Math.floor(i / width) / height];
    const rgb = [a + (1 - a) * x, b * y + 0.3 * x, c * (1 - x) + 0.4 * y];
    for (let k = 0; k < 3; k++) target[3 * i + k] = Math.min(255, 255 * (rgb[k] ?? 0) * (0.9 + 0.1 * uniform()));
  }
  const mask = boxMask(width, height, [width >> 2, height >> 2, (3 * width) >> 2, (3 * height) >> 2]);
  const tint = [0.6 + 0.4 * uniform(), 0.6 + 0.4 * uniform(), 0.6 + 0.4 * uniform()];
  const composite = target.map((value, i) => (mask.data[Math.floor(i / 3)] ? value * (tint[i % 3] ?? 1) : value));
  const form = { width, height, channels: 3, depth: 8 } as const;
  return { composite: { ...form, data: composite }, mask, target: { ...form, data: target } };
}

/** A folder for one file's tests, removed after them. */
export class DataFolder {
  readonly root = mkdtempSync(join(tmpdir(), "s2am-data-"));

  constructor() {
    afterAll(() => rmSync(this.root, { recursive: true, force: true }));
  }

  path = (...parts: readonly string[]): string => join(this.root, ...parts);

  write(name: string, bytes: Uint8Array | string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), bytes);
  }

  /** PNG, whatever the name says: pictures are known by their contents. */
  async picture(name: string, image: Image): Promise<void> {
    this.write(name, await encodeImage(image, "png"));
  }

  /** x0.png, x0_mask.png, x0_real.png and so on. @returns the folder's path */
  async flat(folder: string, count: number, form = FORM): Promise<string> {
    for (let i = 0; i < count; i++) {
      const { composite, mask, target } = triple(i, form);
      await this.picture(`${folder}/x${i}.png`, composite);
      await this.picture(`${folder}/x${i}_mask.png`, mask);
      await this.picture(`${folder}/x${i}_real.png`, target);
    }
    return this.path(folder);
  }

  /** @param parts pictures a part, by its folder: `{ train2017: 3, val2017: 2 }`, or "" for the root itself */
  async coco(folder: string, parts: Readonly<Record<string, number>>): Promise<string> {
    for (const [part, count] of Object.entries(parts))
      for (let i = 0; i < count; i++) {
        const { composite, mask, target } = triple(i);
        await this.picture(join(folder, part, "image", `n${i}.jpg`), composite);
        await this.picture(join(folder, part, "mask", `n${i}.jpg`), mask);
        await this.picture(join(folder, part, "natural", `n${i}.jpg`), target);
      }
    return this.path(folder);
  }

  /** `count` photographs, each with two objects of two composites. Lists are named by part and hold paths. */
  async iharmony4(
    folder: string,
    subset: string,
    count: number,
    lists: Readonly<Record<string, readonly string[]>> = {},
  ): Promise<string> {
    for (let i = 0; i < count; i++) {
      const { composite, mask, target } = triple(i);
      await this.picture(join(folder, subset, "real_images", `c${i}.jpg`), target);
      for (const object of ["7", "8"]) {
        await this.picture(join(folder, subset, "masks", `c${i}_${object}.png`), mask);
        for (const variant of ["1", "2"])
          await this.picture(join(folder, subset, "composite_images", `c${i}_${object}_${variant}.jpg`), composite);
      }
    }
    for (const [list, lines] of Object.entries(lists)) this.write(`${folder}/${list}`, `${lines.join("\n")}\n`);
    return this.path(folder);
  }
}
