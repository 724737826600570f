/** Small photographs, cut-outs and COCO annotations to make composites of. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { encodeImage } from "../../src/image/codec.node.js";
import type { Image } from "../../src/image/image.js";
import { mulberry32 } from "../../src/random.js";

/** Soft blobs of colour with a little noise: neither flat nor clipped. */
export function photograph(number: number, width = 72, height = 64): Image {
  const uniform = mulberry32(number + 1);
  const blobs = Array.from({ length: 7 }, () => ({
    x: uniform() * width,
    y: uniform() * height,
    reach: (0.1 + 0.3 * uniform()) * width,
    colour: [uniform(), uniform(), uniform()],
  }));
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    for (let c = 0; c < 3; c++) {
      const light = blobs.reduce(
        (sum, { x: bx, y: by, reach, colour }) =>
          sum + (colour[c] ?? 0) * Math.exp(-((x - bx) ** 2 + (y - by) ** 2) / (2 * reach * reach)),
        0,
      );
      data[3 * i + c] = Math.min(225, 35 + 110 * light + 12 * uniform());
    }
  }
  return { width, height, channels: 3, depth: 8, data };
}

/** An opaque disc on a transparent ground. */
export function disc(size = 24): Image {
  const data = new Uint8Array(size * size * 4).fill(90);
  for (let i = 0; i < size * size; i++) {
    const [x, y] = [(i % size) + 0.5 - size / 2, Math.floor(i / size) + 0.5 - size / 2];
    data[4 * i + 3] = Math.hypot(x, y) < size / 2 - 1 ? 255 : 0;
  }
  return { width: size, height: size, channels: 4, depth: 8, data };
}

export async function writePicture(path: string, image: Image): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, await encodeImage(image, path.endsWith(".png") ? "png" : "jpeg"));
}

/** p0.jpg and so on. */
export async function writePhotographs(folder: string, count: number): Promise<string> {
  for (let i = 0; i < count; i++) await writePicture(join(folder, `p${i}.jpg`), photograph(i));
  return folder;
}

/** Every file below a folder by its path, but for those that `except` matches. */
export function contentsOf(folder: string, except = /^$/): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).filter((path) => !except.test(path));
  return Object.fromEntries(paths.sort().map((path) => [path.slice(folder.length), readFileSync(path, "base64")]));
}

/** Two photographs of 72 x 64, and annotations good and bad of them. */
export function cocoAnnotations(): Record<string, unknown> {
  const size = { width: 72, height: 64 };
  const box = [10, 10, 60, 10, 60, 50, 10, 50];
  const one = { image_id: 1, iscrowd: 0, area: 2000 };
  return {
    info: { description: 'braces } and "quotes" ] , : in a text' },
    licenses: [],
    images: [
      { id: 1, file_name: "p0.jpg", ...size },
      { id: 2, file_name: "p1.jpg", ...size },
      { id: 3, file_name: "gone.jpg", ...size },
    ],
    annotations: [
      { ...one, id: 11, segmentation: [box] },
      { ...one, id: 12, image_id: 2, segmentation: { size: [64, 72], counts: [64 * 20, 64 * 30, 64 * 22] } },
      { ...one, id: 13, image_id: 2, segmentation: { size: [64, 72], counts: "PX1PX1PX1P@" }, area: 1024 },
      { ...one, id: 21, iscrowd: 1, segmentation: { size: [64, 72], counts: [0, 64 * 72] } },
      { ...one, id: 22, area: 0, segmentation: [[5, 5, 5, 5, 5, 5]] },
      { ...one, id: 23, segmentation: [[5, 5, 5, 5, 5, 5]] },
      { ...one, id: 24, segmentation: [[1, 1, 9, 1, 9, 9, 1, 9]], area: 64 },
      { ...one, id: 25, image_id: 3, segmentation: [box] },
      { ...one, id: 26, image_id: 99, segmentation: [box] },
      { ...one, id: 27, segmentation: { size: [4, 4], counts: [16] } },
      { ...one, id: 28, segmentation: { size: [64, 72], counts: "oops" } },
      { ...one, id: 29, segmentation: [[0, 0, 72, 0, 72, 64, 0, 64]], area: 4608 },
    ],
  };
}
