/** Whole trainings of a tiny network on the GPU: a cut and resumed run ends in the same bits, and its folder is complete. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DivergedError, OutOfMemoryError } from "../src/errors.js";
import type { OpenedDevice } from "../src/gpu/device.js";
import { Runtime } from "../src/graph/runtime.js";
import { parseSafetensors } from "../src/io/safetensors.js";
import { loadModel } from "../src/model/weights.js";
import { resolveConfig, type Settings, type TrainConfig } from "../src/train/config.js";
import { type CreatedStep, createStep, startingWeights } from "../src/train/create_step.js";
import type { TrainEvent } from "../src/train/events.js";
import { parseHistory } from "../src/train/history.js";
import { compareChoices, tablesToGoOn } from "../src/train/kernel_choices.js";
import { type TrainSummary, trainRun } from "../src/train/run.node.js";
import { RunFolder } from "../src/train/run_folder.node.js";
import { tuningOf } from "../src/tuning/device_tuning.js";
import { adapterIdentity, identityName } from "../src/tuning/identity.js";
import type { TuningTable } from "../src/tuning/table.js";
import { testDevice } from "./helpers/device.js";
import { syntheticData } from "./helpers/synthetic_data.js";
import { readTfEvents } from "./helpers/tfevents.js";

let opened: OpenedDevice;
const root = mkdtempSync(join(tmpdir(), "s2am-run-"));
beforeAll(async () => {
  opened = await testDevice();
});
afterAll(() => rmSync(root, { recursive: true }));

const SIZE = 32;
const SETTINGS: Settings = {
  data: "/synthetic",
  arch: "unet",
  width: 2,
  levels: 5,
  size: SIZE,
  batch: 2,
  steps: 4,
  lr: 0.01,
  schedule: "cosine",
  warmup: 1,
  clipNorm: 1,
  ema: 0.9,
  saveEvery: 1,
};

interface Result extends TrainSummary {
  events: TrainEvent[];
  config: TrainConfig;
}

interface Setup {
  settings?: Settings;
  /** Ends the run as this step is told. */
  stopAt?: number;
  limitBytes?: number;
  /** By default what is known of the device. */
  tuningTables?: readonly TuningTable[];
}

async function create(
  config: TrainConfig,
  limitBytes = Number.POSITIVE_INFINITY,
  warnings: string[] = [],
  tuningTables: readonly TuningTable[] = tuningOf(opened.device),
): Promise<CreatedStep> {
  return createStep(config, startingWeights(config), {
    newRuntime: () => {
      const runtime = new Runtime(opened.device, { software: opened.description.isSoftware, tuningTables });
      runtime.memory.limitBytes = limitBytes;
      return runtime;
    },
    warn: (line) => warnings.push(line),
  });
}

async function train(path: string, { settings = {}, stopAt, limitBytes, tuningTables }: Setup = {}): Promise<Result> {
  const folder = new RunFolder(path);
  const checkpoint = await folder.checkpoints.load((line) => expect.fail(line));
  const wanted = checkpoint?.state.config ?? resolveConfig({ ...SETTINGS, ...settings });
  const created = await create(wanted, limitBytes, [], tuningTables);
  const { batch, accumulate } = created.config;
  const events: TrainEvent[] = [];
  const stop = new AbortController();
  const tell = (event: TrainEvent): void => {
    events.push(event);
    if (event.event === "step" && event.step === stopAt) stop.abort();
  };
  try {
    const data = syntheticData(6, SIZE, batch * accumulate);
    const summary = await trainRun({
      ...created,
      folder,
      checkpoint,
      data,
      adapter: "test",
      tell,
      signal: stop.signal,
    });
    return { ...summary, events, config: created.config };
  } finally {
    await created.step.dispose();
    created.runtime.dispose();
    expect(created.runtime.memory.liveBytes).toBe(0);
  }
}

const bytesOf = (run: string, name: string): Buffer => readFileSync(join(root, run, name));
const checkpointBytes = (run: string): Buffer => {
  const names = readdirSync(join(root, run, "checkpoints")).sort();
  return bytesOf(run, join("checkpoints", names.at(-1) ?? ""));
};

describe("a run", () => {
  let unbroken: Result;
  beforeAll(async () => {
    unbroken = await train(join(root, "unbroken"));
  });

  test("tells what it does", () => {
    const kinds = (kind: string) => unbroken.events.filter(({ event }) => event === kind);
    expect(kinds("step").map((event) => "step" in event && event.step)).toEqual([1, 2, 3, 4]);
    expect(kinds("validation").map((event) => "step" in event && event.step)).toEqual([3, 4]);
    expect(kinds("saved").map((event) => "step" in event && event.step)).toEqual([0, 1, 2, 3, 4]);
    expect(kinds("warning")).toEqual([]);
    expect(unbroken).toMatchObject({ outcome: "finished", steps: 4, progress: { step: 4, updates: 4 } });
    expect(unbroken.baselinePsnr).toBeGreaterThan(5);
  });

  test("leaves a folder that others can read", () => {
    const run = join(root, "unbroken");
    expect(readdirSync(run).sort()).toEqual([
      "best.safetensors",
      "checkpoints",
      "config.json",
      expect.stringMatching(/^events\.out\.tfevents\./),
      "last.safetensors",
      "log.csv",
      "report.html",
    ]);
    for (const which of ["last", "best"] as const) {
      const { tensors, metadata } = parseSafetensors(bytesOf("unbroken", `${which}.safetensors`));
      expect(metadata).toMatchObject({ arch: "unet", width: "2", levels: "5", global_skip: "false", blur: "code" });
      expect(loadModel(tensors, metadata).config).toMatchObject({ arch: "unet", width: 2, levels: 5 });
    }
    expect(resolveConfig(JSON.parse(bytesOf("unbroken", "config.json").toString()))).toEqual(unbroken.config);
    const { history } = parseHistory(bytesOf("unbroken", "log.csv").toString(), 99, 99);
    expect(history.train.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(history.validation.map(({ step }) => step)).toEqual([3, 4]);
    const file = readdirSync(run).find((name) => name.includes("tfevents")) ?? "";
    const tags = new Set(
      readTfEvents(bytesOf("unbroken", file)).flatMap(({ scalars, pictures }) => [
        ...Object.keys(scalars),
        ...Object.keys(pictures),
      ]),
    );
    expect([...tags].sort()).toEqual([
      "gradient_norm",
      "images_per_second",
      "learning_rate",
      "loss",
      "synthetic 0",
      "synthetic 1",
      "val/fmse",
      "val/mse",
      "val/psnr",
      "val/ssim",
    ]);
    const report = bytesOf("unbroken", "report.html").toString();
    expect(report).toContain("uPlot");
    expect(report.match(/data:image\/png;base64,/g)?.length).toBe(2);
    expect(report).not.toMatch(/(?:src|href)=["'](?!data:)/);
  });

  test.each([1, 2, 3])("interrupted after step %i and resumed ends in the same bits", async (stopAt) => {
    const run = `cut${stopAt}`;
    const first = await train(join(root, run), { stopAt });
    expect(first).toMatchObject({ outcome: "interrupted", progress: { step: stopAt } });
    const second = await train(join(root, run));
    expect(second.progress).toEqual(unbroken.progress);
    for (const name of ["last.safetensors", "best.safetensors", "config.json"]) {
      expect(bytesOf(run, name).equals(bytesOf("unbroken", name)), name).toBe(true);
    }
    expect(checkpointBytes(run).equals(checkpointBytes("unbroken"))).toBe(true);
    const withoutSpeed = (text: string) => text.replace(/^((?:[^,]*,){7})[^,]*/gm, "$1");
    expect(withoutSpeed(bytesOf(run, "log.csv").toString())).toBe(
      withoutSpeed(bytesOf("unbroken", "log.csv").toString()),
    );
  });
});

describe("a run that was begun by a tuning table", () => {
  const warnings: string[] = [];
  const warn = (line: string) => void warnings.push(line);
  let table: TuningTable;
  let begun: Buffer;
  beforeAll(async () => {
    const { step, runtime, kernels } = await create(resolveConfig(SETTINGS), undefined, [], []);
    await step.dispose();
    runtime.dispose();
    // The readable kernels; those of weight gradients add in another order than the heuristics' choice.
    table = new Map(Object.keys(kernels.choices).map((key) => [key, "direct"]));
    await train(join(root, "tuned"), { tuningTables: [table] });
    begun = bytesOf("tuned", "last.safetensors");
    await train(join(root, "cut tuned"), { tuningTables: [table], stopAt: 2 });
    cpSync(join(root, "cut tuned"), join(root, "forgetful"), { recursive: true });
  });

  test("computes other bits than one by the heuristics", () => {
    expect(begun.equals(bytesOf("unbroken", "last.safetensors"))).toBe(false);
  });

  test("goes on to the same bits without the table, by what its checkpoint says", async () => {
    const checkpoint = await new RunFolder(join(root, "cut tuned")).checkpoints.load((line) => expect.fail(line));
    const kernels = checkpoint?.state.kernels;
    expect(kernels?.choices).toMatchObject(Object.fromEntries(table));
    const tuningTables = tablesToGoOn(opened.device, kernels, warn);
    expect(warnings).toEqual([]);
    await train(join(root, "cut tuned"), { tuningTables });
    expect(bytesOf("cut tuned", "last.safetensors").equals(begun)).toBe(true);
    expect(checkpointBytes("cut tuned").equals(checkpointBytes("tuned"))).toBe(true);
    await train(join(root, "forgetful"), { tuningTables: [] });
    expect(bytesOf("forgetful", "last.safetensors").equals(begun)).toBe(false);
  });

  test("says where it cannot", () => {
    const [key = "", variant = ""] = [...table][0] ?? [];
    const here = { adapter: identityName(adapterIdentity(opened.device)), choices: { [key]: variant } };
    const there = { ...here, adapter: "acme-rocket-1-32" };
    expect(tablesToGoOn(opened.device, there, warn)).toEqual(tuningOf(opened.device));
    expect(warnings.splice(0)).toEqual([expect.stringMatching(/begun on acme-rocket-1-32, this is .*same bits/)]);
    compareChoices({ ...here, choices: { [key]: "gone" } }, here, warn);
    expect(warnings.splice(0)).toEqual([expect.stringMatching(/gone of .*same bits/)]);
    compareChoices(here, here, warn);
    compareChoices({ ...here, choices: { "a problem of validation": "direct" } }, here, warn);
    expect(warnings).toEqual([]);
  });
});

describe("a batch that does not fit", () => {
  test("is cut into micro-batches, recorded, and resumed as it ran", async () => {
    const whole = await create(resolveConfig({ ...SETTINGS, batch: 8 }));
    const limitBytes = whole.runtime.memory.peakBytes - 1; // its validation's weights and pictures counted in
    await whole.step.dispose();
    whole.runtime.dispose();
    const first = await train(join(root, "small"), { settings: { batch: 8, steps: 2 }, limitBytes, stopAt: 1 });
    expect(first.config).toMatchObject({ batch: 4, accumulate: 2, batchAsked: 8 });
    expect(JSON.parse(bytesOf("small", "config.json").toString())).toMatchObject({
      batch: 4,
      accumulate: 2,
      batchAsked: 8,
    });
    const second = await train(join(root, "small")); // with memory enough for the whole batch
    expect(second.config).toMatchObject({ batch: 4, accumulate: 2 });
    expect(second.outcome).toBe("finished");
  });

  test("names what it needs where nothing helps", async () => {
    const warnings: string[] = [];
    await expect(create(resolveConfig({ ...SETTINGS, batch: 8 }), 1000, warnings)).rejects.toThrow(OutOfMemoryError);
    expect(warnings).toEqual([
      expect.stringMatching(/batch of 8.*2 micro-batches of 4/),
      expect.stringMatching(/4 micro-batches of 2/),
    ]);
  });
});

test("a learning rate far too high ends the training and keeps the start", async () => {
  const path = join(root, "diverged");
  const running = train(path, { settings: { lr: 1e30, clipNorm: 0, warmup: 0, steps: 50, ema: 0 } });
  await expect(running).rejects.toThrow(DivergedError);
  const kept = await new RunFolder(path).checkpoints.load((line) => expect.fail(line));
  expect(kept?.state.progress.skippedInARow).toBe(0);
  const { tensors, metadata } = parseSafetensors(readFileSync(join(path, "last.safetensors")));
  loadModel(tensors, metadata); // finite
  expect(readFileSync(join(path, "report.html"), "utf8")).toContain("none yet");
});
