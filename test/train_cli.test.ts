/** `s2am train` as a child process: it trains, ends as it is told, goes on to the same bits, and refuses what is wrong. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Image } from "../src/image/image.js";
import { parseSafetensors } from "../src/io/safetensors.js";
import { mulberry32 } from "../src/random.js";
import { boxMask, CLI, tinyWeights, workspace } from "./helpers/command_line.js";

const work = workspace();
const SIZE = 40;
const TINY = ["--arch", "unet", "--width", "2", "--size", "32", "--batch", "2", "--lr", "0.01"];
const photos = ["train", "--data", "photos", ...TINY];

/** A noisy colour; the composite's box is darker. */
function photo(index: number, dimmed: boolean): Image {
  const draw = mulberry32(index + 1);
  const base = [draw(), draw(), draw()];
  const data = Uint8Array.from({ length: SIZE * SIZE * 3 }, (_, i) => {
    const [column, row] = [Math.floor(i / 3) % SIZE, Math.floor(i / 3 / SIZE)];
    const inside = column >= 10 && column < 30 && row >= 10 && row < 30;
    return 200 * (base[i % 3] ?? 0) * (dimmed && inside ? 0.6 : 1) + 40 * draw();
  });
  return { width: SIZE, height: SIZE, channels: 3, depth: 8, data };
}

beforeAll(async () => {
  for (const folder of ["photos", "empty"]) mkdirSync(work.path(folder));
  for (let i = 0; i < 6; i++) {
    await work.picture(`photos/p${i}.png`, photo(i, true));
    await work.picture(`photos/p${i}_real.png`, photo(i, false));
    await work.picture(`photos/p${i}_mask.png`, boxMask(SIZE, SIZE, [10, 10, 30, 30]));
  }
  work.write("tiny.safetensors", tinyWeights());
});

type Line = Record<string, unknown> & { event: string };
const linesOf = (stderr: string): Line[] =>
  stderr
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
const hashOf = (name: string): string => createHash("sha256").update(work.read(name)).digest("hex");
const last = (run: string): string => hashOf(`${run}/last.safetensors`);

describe("a training", () => {
  test("tells its steps as JSON lines, and its weights harmonize", async () => {
    const { code, stdout, stderr } = await work.s2am([...photos, "--steps", "4", "--out", "whole", "--json"]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      run: "whole",
      outcome: "finished",
      step: 4,
      steps: 4,
      best: { psnr: expect.any(Number) },
    });
    const lines = linesOf(stderr);
    expect(lines.filter(({ event }) => event === "step").map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(lines.find(({ event }) => event === "validation")).toMatchObject({
      step: 3,
      psnr: expect.any(Number),
      isBest: true,
    });
    const weights = "whole/best.safetensors";
    await work.done(["harmonize", "photos/p0.png", "photos/p0_mask.png", "-o", "best.png", "--weights", weights]);
  });

  test("takes its settings from a file, the options winning", async () => {
    work.write(
      "settings.json",
      JSON.stringify({ data: "photos", arch: "unet", width: 2, size: 32, batch: 2, lr: 0.5, epochs: 9 }),
    );
    await work.done(["train", "--config", "settings.json", "--lr", "0.01", "--steps", "4", "--out", "from-file"]);
    expect(last("from-file")).toBe(last("whole"));
  });

  test("starts from weights and brings their network", async () => {
    const flags = ["--init", "tiny.safetensors", "--size", "32", "--batch", "2", "--steps", "1", "--out", "tuned"];
    await work.done(["train", "--data", "photos", ...flags]);
    expect(parseSafetensors(work.read("tuned/last.safetensors")).metadata).toMatchObject({
      arch: "unet",
      width: "4",
      levels: "5",
      global_skip: "true",
    });
  });

  test("plans without making anything", async () => {
    const files = work.list();
    const { stdout } = await work.s2am([...photos, "--epochs", "2", "--dry-run", "--out", "planned"]);
    expect(stdout).toMatch(/6 pictures, 3 steps an epoch, 6 steps/);
    expect(stdout).toMatch(
      /parameters .*MiB.*\n.*optimizer .*MiB.*\n.*activations.*gradients of parameters.*\n.*peak on the device .*MiB/,
    );
    expect(work.list()).toEqual(files);
  });

  test("that diverges ends with code 2 and keeps the start", async () => {
    const flags = ["--lr", "1e30", "--steps", "50", "--out", "diverged"];
    const { code, stderr } = await work.s2am([...photos, ...flags]);
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/s2am: training diverged at step.*--lr/),
    });
    expect(stderr).toMatch(/"warning".*was skipped: not finite are the gradients of model\.model/);
    expect(readdirSync(work.path("diverged/checkpoints"))).not.toEqual([]);
  });
});

describe("a training that is ended", () => {
  const STEPS = 24;
  const long = [...photos, "--steps", String(STEPS), "--val-every", "4", "--ema", "0.9"];
  let unbroken: string;
  beforeAll(async () => {
    await work.done([...long, "--out", "unbroken"]);
    unbroken = last("unbroken");
  });

  test("by SIGINT finishes its step, saves, ends with code 0, and goes on to the same bits", async () => {
    const first = await work.s2am([...long, "--out", "cut", "--json"], { signal: "SIGINT", signalAfter: '"step":3,' });
    expect(first).toMatchObject({ code: 0, signal: null });
    const { step } = JSON.parse(first.stdout);
    expect(JSON.parse(first.stdout)).toMatchObject({ outcome: "interrupted" });
    expect(step).toBeLessThan(STEPS);
    expect(linesOf(first.stderr).at(-1)).toMatchObject({ event: "saved", step });
    expect(await work.done(["train", "--resume", "cut"])).toMatchObject({ outcome: "finished", step: STEPS });
    expect(last("cut")).toBe(unbroken);
  });

  test("by SIGKILL, wherever, goes on to the same bits", async () => {
    const draw = mulberry32(Number(process.env.S2AM_SEED ?? 3));
    const again = [...long, "--save-every", "3", "--out", "killed", "--resume", "killed"];
    for (let i = 0; i < (process.env.S2AM_LONG ? 20 : 2); i++) {
      const at = draw() < 0.3 ? "note" : `"step":${Math.floor(draw() * STEPS)},`;
      await work.s2am(again, { signal: "SIGKILL", signalAfter: at });
    }
    expect(await work.done(again)).toMatchObject({ outcome: "finished", step: STEPS });
    expect(last("killed")).toBe(unbroken);
    expect(hashOf("killed/best.safetensors")).toBe(hashOf("unbroken/best.safetensors"));
  });

  test("by a second SIGINT ends at once with code 130", async () => {
    const slow = [
      "train",
      "--data",
      "photos",
      "--arch",
      "unet",
      "--width",
      "8",
      "--size",
      "256",
      "--batch",
      "4",
      "--steps",
      "9",
      "--out",
      "slow",
    ];
    const env = { ...process.env, S2AM_ADAPTER: process.env.S2AM_ADAPTER || "bundled" };
    const child = spawn(process.execPath, [CLI, ...slow], {
      cwd: work.folder,
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    let signals = 0;
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += chunk.toString();
      const due = stderr.includes("interrupted: finishing") ? 2 : stderr.includes('"step":1,') ? 1 : 0;
      for (; signals < due; signals++) child.kill("SIGINT");
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect({ code, stderr }).toMatchObject({ code: 130 });
    expect(linesOf(stderr).at(-1)).toMatchObject({ event: "note", message: expect.stringContaining("interrupted") });
  });

  test("further than it was told at first", async () => {
    expect(await work.done(["train", "--resume", "unbroken", "--steps", "26"])).toMatchObject({ step: 26, steps: 26 });
  });

  test("with its newest checkpoint damaged goes on from the one before, and says so", async () => {
    const folder = work.path("cut/checkpoints");
    const newest = readdirSync(folder).sort().at(-1) ?? "";
    const bytes = readFileSync(join(folder, newest));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(join(folder, newest), bytes);
    const { code, stderr } = await work.s2am(["train", "--resume", "cut"]);
    expect(code).toBe(0);
    expect(linesOf(stderr)).toContainEqual({
      event: "warning",
      message: expect.stringMatching(/is damaged.*falling back/),
    });
    expect(last("cut")).toBe(unbroken);
  });
});

describe("what is wrong is said before any training", () => {
  beforeAll(() => {
    work.write("file", "");
    work.write("wrong.json", '{"data": "photos", "learningRate": 1}');
    work.write("text.json", "lr: 1");
  });

  test.each([
    [["train"], /--data DIR/],
    [[...photos], /--steps N or --epochs N/],
    [[...photos, "--steps", "2"], /--out RUN/],
    [[...photos, "--steps", "2", "--epochs", "2", "--out", "new"], /not both/],
    [["train", "--data", "nowhere", "--steps", "2", "--out", "new"], /nowhere/],
    [["train", "--data", "empty", "--steps", "2", "--out", "new"], /empty/],
    [[...photos, "--steps", "two", "--out", "new"], /--steps must be a whole number from 1, got "two"/],
    [[...photos, "--steps", "2", "--clip-norm", "-1", "--out", "new"], /--clip-norm must be a number from 0, got -1/],
    [[...photos, "--steps", "2", "--arch", "vgg", "--out", "new"], /Allowed choices are unet, s2asc, s2ad/],
    [[...photos, "--steps", "2", "--size", "48", "--out", "new"], /multiple of 32 for 5 levels/],
    [[...photos, "--steps", "2", "--out", "whole"], /whole: is not empty.*--resume whole/],
    [[...photos, "--steps", "2", "--out", "file"], /file: is not a folder/],
    [[...photos, "--steps", "2", "--out", "file/below"], /file\/below: .*file is not a folder/],
    [["train", "--config", "wrong.json", "--out", "new"], /wrong\.json: learningRate is no setting/],
    [["train", "--config", "text.json", "--out", "new"], /text\.json: is not JSON/],
    [["train", "--config", "nowhere.json", "--out", "new"], /nowhere\.json/],
    [["train", "--resume", "nowhere"], /nowhere: holds no checkpoint/],
    [["train", "--resume", "whole", "--out", "other"], /--resume whole goes on in that folder/],
    [["train", "--resume", "whole", "--arch", "s2ad"], /whole was trained with arch "unet", not "s2ad"/],
    [["train", "--resume", "whole", "--lr", "1"], /lr 0.01, not 1.*--init whole/],
    [
      ["train", "--data", "photos", "--init", "tiny.safetensors", "--width", "8", "--steps", "1", "--out", "new"],
      /tiny\.safetensors: its width is 4, not 8/,
    ],
    [["train", "--data", "photos", "--init", "nowhere.pth", "--steps", "1", "--out", "new"], /nowhere\.pth/],
  ])("%j", (args, message) => work.refused(args, message));

  test.runIf(process.platform === "linux")("a folder on a full or forbidden system", async () => {
    await work.refused([...photos, "--steps", "2", "--out", "/proc/run"], /\/proc\/run: cannot be made/, {
      before: false,
    });
    rmSync(work.path("new"), { recursive: true, force: true });
  });
});
