/** Frames: where shots are cut, one transform a shot, smoothed ones, and that nothing flickers. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../src/errors.js";
import type { OpenedDevice } from "../src/gpu/device.js";
import { type FrameAnalysis, solveSequence, thumbnailOf } from "../src/harmonizer/sequence.js";
import { momentsOf } from "../src/image/fit.js";
import { newFloatImage } from "../src/image/float.js";
import {
  applyChange,
  DEFAULT_WEIGHTS,
  decodeImage,
  type Harmonizer,
  type Image,
  openHarmonizer,
  packageFile,
} from "../src/node.js";
import { mulberry32, normals } from "../src/random.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";

/** A frame of one gray whose object's 100 pixels changed by so many levels. */
function frame(gray: number, levels: number, objects = 1, size = 64): FrameAnalysis {
  const image: Image = {
    width: size,
    height: size,
    channels: 3,
    depth: 8,
    data: new Uint8Array(size * size * 3).fill(gray),
  };
  const before = newFloatImage(100, 1, 3);
  const after = newFloatImage(100, 1, 3);
  before.data.forEach((_, i) => {
    before.data[i] = ((i * 37) % 101) / 101;
    after.data[i] = (before.data[i] as number) + levels / 255;
  });
  const sure = newFloatImage(100, 1, 1);
  sure.data.fill(1);
  const moments = momentsOf(before, after, sure);
  return {
    width: size,
    height: size,
    thumbnail: thumbnailOf(image),
    objects: Array.from({ length: objects }, () => moments),
  };
}
const offsets = (solved: ReturnType<typeof solveSequence>): number[] =>
  solved.transforms.map(([first]) => 255 * (first?.matrix[0][3] as number));

describe("shots", () => {
  test("are cut where pictures differ, in size or in objects", () => {
    const frames = [
      frame(50, 20),
      frame(60, 20),
      frame(120, 20),
      frame(120, 20),
      frame(120, 20, 2),
      frame(120, 20, 2, 32),
    ];
    const { shots, transforms } = solveSequence(frames);
    expect(shots.map(({ first, last }) => [first, last])).toEqual([
      [0, 1],
      [2, 3],
      [4, 4],
      [5, 5],
    ]);
    expect(shots.map(({ difference }) => difference)).toEqual([null, expect.closeTo(60 / 255, 5), 0, 0]);
    expect(transforms.map((objects) => objects.length)).toEqual([1, 1, 1, 1, 2, 2]);
    expect(solveSequence(frames, { cutThreshold: 0.3 }).shots).toHaveLength(3);
    expect(solveSequence([])).toEqual({ shots: [], transforms: [] });
  });

  test("have one transform each, the mean of what their frames ask for", () => {
    const frames = [frame(50, 10), frame(50, 20), frame(50, 30), frame(200, 40)];
    const solved = solveSequence(frames, { fit: "global" });
    const [a, b, c, d] = offsets(solved) as [number, number, number, number];
    expect([a, b, c]).toEqual([expect.closeTo(20, 3), a, a]);
    expect(d).toBeCloseTo(40, 3);
  });

  test("smoothed: a triangle over the frames, and none over a cut", () => {
    const frames = [0, 0, 30, 0, 0].map((levels) => frame(50, levels));
    const smooth = offsets(solveSequence([...frames, frame(200, 99)], { fit: "global", smooth: 3 }));
    // Weights 1/2, 1, 1/2; at a shot's ends one of them is missing.
    for (const [i, expected] of [0, 7.5, 15, 7.5, 0, 99].entries()) expect(smooth[i]).toBeCloseTo(expected, 3);
    const each = offsets(solveSequence(frames, { fit: "global", smooth: 1 }));
    for (const [i, expected] of [0, 0, 30, 0, 0].entries()) expect(each[i]).toBeCloseTo(expected, 3);
  });

  test("what is out of range is said by name", () => {
    const refusals = [
      [{ fit: "none" }, /fit auto or global, got none/],
      [{ smooth: 0 }, /smooth must be a whole number of frames from 1, got 0/],
      [{ smooth: 1.5 }, /smooth/],
      [{ cutThreshold: 0 }, /cut threshold/],
    ] as const;
    for (const [options, message] of refusals) {
      expect(() => solveSequence([frame(50, 1)], options)).toThrow(UsageError);
      expect(() => solveSequence([frame(50, 1)], options)).toThrow(message);
    }
  });
});

describe("a still scene with noise", () => {
  let opened: OpenedDevice;
  let harmonizer: Harmonizer;
  let close: () => Promise<void>;
  beforeAll(async () => {
    opened = await testDevice();
    ({ harmonizer, close } = await openHarmonizer(DEFAULT_WEIGHTS(), { device: opened.device }));
  });
  afterAll(() => close());

  test("one transform a shot flickers at most a fifth as much as frame by frame", async () => {
    const still = await decodeImage(packageFile("examples", "dogs.png"));
    const mask = await decodeImage(packageFile("examples", "dogs_mask.png"));
    const count = 6;
    const frames = Array.from({ length: count }, (_, seed): Image => {
      const normal = normals(mulberry32(seed));
      const data = still.data.map((v) => Math.min(255, Math.max(0, Math.round(v + 4 * normal()))));
      return { ...still, data };
    });
    const options = { workingSize: 256 };
    const meanOf = ({ data, channels }: Image): number => {
      let [sum, pixels] = [0, 0];
      for (let p = 0; p < mask.width * mask.height; p++) {
        if ((mask.data[p * mask.channels] as number) < 255) continue;
        for (let c = 0; c < 3; c++) sum += data[p * channels + c] as number;
        pixels++;
      }
      return sum / (3 * pixels);
    };
    const deviation = (values: readonly number[]): number => {
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
    };
    const alone: number[] = [];
    const analyses: FrameAnalysis[] = [];
    await withErrorScopes(opened.device, async () => {
      for (const image of frames) {
        alone.push(meanOf((await harmonizer.harmonize({ image, mask }, options)).image));
        analyses.push(await harmonizer.analyse({ image, mask }, options));
      }
    });
    const solved = solveSequence(analyses);
    expect(solved.shots).toEqual([{ first: 0, last: count - 1, difference: null }]);
    const together = frames.map((image, i) => {
      const changes = (solved.transforms[i] ?? []).map(({ matrix }) => matrix);
      return meanOf(applyChange({ image, mask }, changes).image);
    });
    const smooth = solveSequence(analyses, { smooth: 5 });
    const smoothed = frames.map((image, i) =>
      meanOf(
        applyChange(
          { image, mask },
          (smooth.transforms[i] ?? []).map(({ matrix }) => matrix),
        ).image,
      ),
    );
    expect(deviation(together)).toBeLessThanOrEqual(deviation(alone) / 5);
    expect(deviation(smoothed)).toBeLessThan(deviation(alone));
  }, 300_000);
});
