/** `s2am harmonize` on one picture, through files as a user gives them. */
import { beforeAll, describe, expect, test } from "vitest";
import type { Image } from "../src/image/image.js";
import { boxMask, tinyWeights, workspace } from "./helpers/command_line.js";
import { pattern } from "./image_fixtures.js";

const work = workspace();
const BOX = [10, 8, 50, 40] as const;
const [W, H] = [64, 48];
const inBox = (x: number, y: number): boolean => x >= BOX[0] && x < BOX[2] && y >= BOX[1] && y < BOX[3];

beforeAll(async () => {
  await work.picture("a.png", pattern(W, H));
  await work.picture("mask.png", boxMask(W, H, BOX));
  await work.picture("deep.png", pattern(W, H, 4, 16));
  const cutout = pattern(W, H, 4);
  await work.picture("cutout.png", {
    ...cutout,
    data: cutout.data.map((value, i) => (i % 4 < 3 ? value : inBox((i >> 2) % W, Math.floor((i >> 2) / W)) ? 255 : 0)),
  });
  work.write("tiny.safetensors", tinyWeights());
});

const harmonize = (...args: readonly string[]) => work.done(["harmonize", ...args, "--weights", "tiny.safetensors"]);

/** Colour samples that differ, inside and outside the box. */
function changes(before: Image, after: Image): { inside: number; outside: number } {
  expect([after.width, after.height, after.depth]).toEqual([before.width, before.height, before.depth]);
  const found = { inside: 0, outside: 0 };
  for (let p = 0; p < W * H; p++)
    for (let c = 0; c < 3; c++)
      if (before.data[p * before.channels + c] !== after.data[p * after.channels + c])
        found[inBox(p % W, Math.floor(p / W)) ? "inside" : "outside"]++;
  return found;
}

describe("s2am harmonize", () => {
  test("changes what is masked and nothing else; reports it; compares", async () => {
    work.write("out.png", "something older, to be replaced");
    const files = work.list();
    const result = await harmonize("a.png", "mask.png", "-o", "out.png", "--compare", "strip.jpg");
    expect(result).toEqual({
      adapter: expect.any(String),
      input: "a.png",
      mask: "mask.png",
      masks: ["mask.png"],
      reference: null,
      output: "out.png",
      compare: "strip.jpg",
      width: W,
      height: H,
      transform: expect.objectContaining({ fit: "auto", space: "the picture's encoded RGB, 0 to 1" }),
      transforms: [result.transform],
      luts: null,
      workedAt: { width: W, height: H },
      modelMs: expect.any(Number),
      totalMs: expect.any(Number),
    });
    expect(work.list()).toEqual([...files, "strip.jpg"].sort());
    const { inside, outside } = changes(await work.decode("a.png"), await work.decode("out.png"));
    expect(outside).toBe(0);
    expect(inside).toBeGreaterThan(2000);
    expect(await work.decode("strip.jpg")).toMatchObject({ width: 3 * W + 8, height: H });
  });

  test("what people see: the adapter on stderr; what was done, and what to the object, on stdout", async () => {
    const args = ["harmonize", "a.png", "mask.png", "-o", "lines.png", "--weights", "tiny.safetensors"];
    const { code, stdout, stderr, milliseconds } = await work.s2am([...args, "--working-size", "32"]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^lines\.png: 64 x 48, network at 32 x 24 in \d+ ms, \d+ ms in all\n {2}\S.*\n$/),
    });
    expect(stderr).toMatch(/^adapter: .*, (software|hardware), \w+\n$/);
    const total = Number(/, (\d+) ms in all/.exec(stdout)?.[1]);
    expect(milliseconds - total).toBeLessThan(4000); // starting and ending; half a second on an idle machine
  });

  test("--strength 0 copies bit for bit; a mask of its own leaves the alpha channel", async () => {
    await harmonize("deep.png", "mask.png", "-o", "same.png", "--strength", "0");
    expect(await work.decode("same.png")).toEqual(await work.decode("deep.png"));
    await harmonize("deep.png", "mask.png", "-o", "deep_out.png");
    const [before, after] = [await work.decode("deep.png"), await work.decode("deep_out.png")];
    expect(changes(before, after)).toEqual({ inside: expect.any(Number), outside: 0 });
    const alpha = ({ data }: Image): number[] => [...data].filter((_, i) => i % 4 === 3);
    expect(after.channels).toBe(4);
    expect(alpha(after)).toEqual(alpha(before));
  });

  test("without a mask the alpha channel is it, and the output is opaque, so that a JPEG can hold it", async () => {
    await harmonize("cutout.png", "-o", "cutout_out.png");
    const after = await work.decode("cutout_out.png");
    expect(after.channels).toBe(3);
    expect(changes(await work.decode("cutout.png"), after)).toEqual({ inside: expect.any(Number), outside: 0 });
    expect(changes(await work.decode("out.png"), after)).toEqual({ inside: 0, outside: 0 });
    await harmonize("cutout.png", "-o", "cutout_out.jpg", "--strength", "0.5");
    expect(await work.decode("cutout_out.jpg")).toMatchObject({ width: W, height: H, channels: 3 });
  });

  test("--invert-mask, and a mask that is white all over", async () => {
    await harmonize("a.png", "mask.png", "-o", "inverted.png", "--invert-mask", "--max-pixels", "100e6");
    const before = await work.decode("a.png");
    const inverted = changes(before, await work.decode("inverted.png"));
    expect(inverted).toEqual({ inside: 0, outside: expect.any(Number) });
    expect(inverted.outside).toBeGreaterThan(2000);
    await work.picture("white.png", boxMask(W, H, [0, 0, W, H]));
    await harmonize("a.png", "white.png", "-o", "full.png");
    const full = changes(before, await work.decode("full.png"));
    expect(Math.min(full.inside, full.outside)).toBeGreaterThan(2000);
  });

  test("--feather and --strength weaken the change; --no-global-skip is another network", async () => {
    const before = await work.decode("a.png");
    const whole = await work.decode("out.png");
    const distance = ({ data }: Image): number =>
      Array.from(data).reduce((sum, value, i) => sum + Math.abs(value - (before.data[i] ?? 0)), 0);
    for (const weaker of [
      ["--feather", "6"],
      ["--strength", "0.5"],
    ]) {
      await harmonize("a.png", "mask.png", "-o", "weak.png", ...weaker);
      const weak = await work.decode("weak.png");
      expect(changes(before, weak).outside).toBe(0);
      expect(distance(weak)).toBeLessThan(0.8 * distance(whole));
      expect(distance(weak)).toBeGreaterThan(0.2 * distance(whole));
    }
    await harmonize("a.png", "mask.png", "-o", "bare.png", "--no-global-skip");
    expect((await work.decode("bare.png")).data).not.toEqual(whole.data);
  });
});
