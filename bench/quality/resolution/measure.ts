/** One composite at every working size: runs, and what they come to. */
import { spawn } from "node:child_process";
import { decodeImage } from "../../../src/image/codec.node.js";
import { toFloatRgb } from "../../../src/image/float.js";
import { guidedUpsample } from "../../../src/image/guided_upsample.js";
import { dropAlpha, grayToRgb, type Image, to8Bit } from "../../../src/image/image.js";
import { type Mask, maskFromImage } from "../../../src/image/mask.js";
import { paste } from "../../../src/image/paste.js";
import { resize, resizeToRgb, workingSize } from "../../../src/image/resize.js";
import type { Case } from "./cases.js";
import type { Job, Reply, Run } from "./job.js";
import { apart, bandingOf, type Distance, distanceOf, type Halo, haloOf, type Zones, zonesOf } from "./measures.js";

/** `largest`: the picture's own size, or the largest working size that the device and the memory allow. */
export type Size = number | "largest";

export interface Compared extends Distance {
  readonly halo: Halo;
}

export interface Row extends Run {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly size: Size;
  /** Against the photograph. */
  readonly photograph: Compared;
  /** Against the run at the largest size; null for that itself. */
  readonly largest: Compared | null;
  /** The photograph itself, reduced, in the network's place: what carrying it to full size loses. */
  readonly upsampling: Compared;
  /** Next to the run at the largest size; for that itself, to the photograph. */
  readonly banding: { readonly levels: number; readonly flatRun: number; readonly stepsApart: number };
}

export interface Failure {
  readonly name: string;
  readonly size: Size;
  readonly pixels: number;
  readonly failed: string;
}

export interface Measured {
  readonly rows: readonly Row[];
  readonly failures: readonly Failure[];
  /** For people to look at. */
  readonly pictures: Pictures;
}

export interface Pictures {
  readonly composite: Image;
  readonly mask: Mask;
  readonly real: Image;
  readonly results: readonly { readonly size: Size; readonly image: Image }[];
}

export interface MeasureOptions {
  readonly sizes: readonly number[];
  readonly weights: string;
  readonly adapter?: string | undefined;
  /** The bundled process, and a folder for what it writes. */
  readonly child: string;
  readonly folder: string;
  readonly note: (line: string) => void;
}

const rgb = (image: Image): Image => {
  const { width, height, data } = grayToRgb(dropAlpha(to8Bit(image)));
  return { width, height, channels: 3, depth: 8, data };
};

export async function measureCase(one: Case, options: MeasureOptions): Promise<Measured> {
  const composite = rgb(await decodeImage(one.composite));
  const real = rgb(await decodeImage(one.real));
  const mask = maskFromImage(await decodeImage(one.mask));
  const { width, height } = composite;
  const zones = zonesOf(mask);
  const longest = Math.max(width, height);
  const rows: Row[] = [];
  const failures: Failure[] = [];
  const results: { size: Size; image: Image }[] = [];
  const output = `${options.folder}/result.png`;
  const run = async (size: Size, pixels: number): Promise<Run | null> => {
    const { weights, adapter, child } = options;
    const reply = await runJob(child, { ...one, weights, adapter, workingSize: pixels, output });
    if ("run" in reply) return reply.run;
    failures.push({ name: one.name, size, pixels, failed: reply.failed });
    options.note(`${one.name} at ${pixels}: left out: ${reply.failed}`);
    return null;
  };
  const most = Math.max(...options.sizes);
  const tries: readonly (readonly [Size, number])[] = [
    ...largestFirst(longest, most).map((pixels) => ["largest", pixels] as const),
    ...options.sizes.filter((size) => size < longest).map((size) => [size, size] as const),
  ];
  for (const [size, pixels] of tries) {
    if (size === "largest" && results.length > 0) continue;
    const found = await run(size, pixels);
    if (!found) continue;
    const image = rgb(await decodeImage(output));
    const whole = results.find((other) => other.size === "largest")?.image ?? null;
    const compare = (a: Image, b: Image): Compared => ({ ...distanceOf(a, b, mask), halo: haloOf(a, b, zones) });
    const row: Row = {
      name: one.name,
      width,
      height,
      size,
      ...found,
      photograph: compare(image, real),
      largest: whole && compare(image, whole),
      upsampling: compare(upsampled(composite, real, mask, pixels), real),
      banding: besides(image, whole ?? real, real, zones),
    };
    rows.push(row);
    results.push({ size, image });
    options.note(
      `${one.name} at ${size}: ${row.photograph.fpsnr.toFixed(2)} dB, ${(row.endToEndMs / 1000).toFixed(1)} s`,
    );
  }
  return { rows, failures, pictures: { composite, mask, real, results } };
}

/** A network's sides are multiples of some power of two anyway. */
const STEP = 256;

/** The picture's own size, then smaller ones, each with some 0.64 times the pixels of the one before. */
function largestFirst(longest: number, above: number): number[] {
  const sizes = [longest];
  for (let size = longest; ; ) {
    size = Math.floor((0.8 * size) / STEP) * STEP;
    if (size <= above) return sizes;
    sizes.push(size);
  }
}

function besides(image: Image, other: Image, real: Image, zones: Zones): Row["banding"] {
  const [a, b] = [bandingOf(image, real, zones), bandingOf(other, real, zones)];
  return { levels: a.levels / b.levels, flatRun: a.flatRun / b.flatRun, stepsApart: apart(a.steps, b.steps) };
}

/** As `Harmonizer.harmonize` does it without a fit, with the photograph for an answer: what carrying it to full size loses. */
function upsampled(composite: Image, real: Image, mask: Mask, longest: number): Image {
  const { width, height } = workingSize(composite.width, composite.height, longest);
  const isFull = width === composite.width && height === composite.height;
  const small = (image: Image) => (isFull ? toFloatRgb(image) : resizeToRgb(image, width, height));
  const answer = { input: small(composite), output: small(real), mask: resize(mask, width, height) };
  return paste(composite, guidedUpsample(composite, mask, answer, { fit: "none" }), mask);
}

function runJob(child: string, job: Job): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const running = spawn(process.execPath, [child, JSON.stringify(job)], { stdio: ["ignore", "pipe", "inherit"] });
    const stop = (): void => void running.kill("SIGKILL");
    process.once("exit", stop);
    let text = "";
    running.stdout.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    running.on("error", reject);
    running.on("close", (code, signal) => {
      process.off("exit", stop);
      if (code === 0) resolve(JSON.parse(text));
      // The system ends what takes too much memory.
      else if (signal === "SIGKILL") resolve({ failed: "its process was ended by the system, most likely for memory" });
      else reject(new Error(`the run at ${job.workingSize} pixels ended with ${signal ?? code}`));
    });
  });
}
