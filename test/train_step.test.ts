/** The train step as a whole: the same bits every time, no leak, recomputation and accumulation. */
import { beforeAll, describe, expect, test } from "vitest";
import { Runtime } from "../src/graph/runtime.js";
import { DEFAULT_CONFIG, type ModelConfig } from "../src/model/config.js";
import { initialTensors } from "../src/model/init.js";
import { TrainStep, type TrainStepOptions } from "../src/train/train_step.js";
import { testDevice } from "./helpers/device.js";
import { hashedPicture, hashedTarget } from "./helpers/hashed.js";

const SIZE = 32;
const LONG = process.env.S2AM_LONG !== undefined;
const s2ad: ModelConfig = { ...DEFAULT_CONFIG, arch: "s2ad", width: 8, levels: 5 };

let device: GPUDevice;
let software: boolean;
beforeAll(async () => {
  const opened = await testDevice();
  device = opened.device;
  software = opened.description.isSoftware;
});

async function start(options: Partial<TrainStepOptions> = {}) {
  const runtime = new Runtime(device, { software });
  const config = options.config ?? s2ad;
  const asked = { config, batch: 2, size: SIZE, loss: "mse", optimizer: { name: "adam" }, ...options } as const;
  const training = await TrainStep.create(runtime, asked, initialTensors(config, 3));
  const images = asked.batch * (asked.accumulate ?? 1);
  const batch = { x: hashedPicture(images, SIZE, SIZE), target: hashedTarget(images, SIZE, SIZE) };
  const step = () => training.step(batch, { lr: 1e-3 });
  const stop = async () => {
    await training.dispose();
    runtime.dispose();
  };
  return { runtime, training, step, stop };
}

async function bitsAfter(steps: number, options: Partial<TrainStepOptions> = {}): Promise<Buffer> {
  const { training, step, stop } = await start(options);
  for (let i = 0; i < steps; i++) expect((await step()).nonFinite).toEqual([]);
  const state = await training.readState();
  await stop();
  return Buffer.concat(
    [...state.values()].map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  );
}

describe("a train step", () => {
  test("gives the same bits in every run, computing activations again or not", async () => {
    const options = { emaDecay: 0.9, clipNorm: 1 };
    const first = await bitsAfter(LONG ? 100 : 5, options);
    for (let i = 0; i < (LONG ? 10 : 1); i++)
      expect((await bitsAfter(LONG ? 100 : 5, options)).equals(first)).toBe(true);
    expect((await bitsAfter(LONG ? 100 : 5, { ...options, recompute: true })).equals(first)).toBe(true);
  });

  test("holds less memory when it computes activations again", async () => {
    const kept = await start({ batch: 4 });
    const again = await start({ batch: 4, recompute: true });
    expect(again.training.memory.activationBytes).toBeLessThan(kept.training.memory.activationBytes);
    await kept.stop();
    await again.stop();
  });

  test("leaks nothing: live bytes as after the tenth step", async () => {
    const { runtime, step, stop } = await start({ config: { ...s2ad, arch: "unet", width: 4 } });
    for (let i = 0; i < 10; i++) await step();
    const { liveBytes, liveBuffers } = runtime.memory;
    for (let i = 10; i < (LONG ? 1000 : 40); i++) await step();
    expect(runtime.memory).toMatchObject({ liveBytes, liveBuffers });
    await stop();
    expect(runtime.memory).toMatchObject({ liveBytes: 0, liveBuffers: 0 });
  });

  test("skips a step whose gradients are not finite, and names the layers", async () => {
    const { training, stop } = await start();
    const before = await training.readState();
    const x = hashedPicture(2, SIZE, SIZE);
    x[5] = Number.NaN;
    const { nonFinite } = await training.step({ x, target: hashedTarget(2, SIZE, SIZE) }, { lr: 1e-3 });
    expect(nonFinite).toContain("model.model.down.0.weight");
    expect(training.updates).toBe(0);
    const after = await training.readState();
    for (const [key, values] of before) expect(after.get(key), key).toEqual(values);
    await stop();
  });

  test("accumulates micro-batches into one update", async () => {
    const { training, step, stop } = await start({ accumulate: 2 });
    const losses = [];
    for (let i = 0; i < 4; i++) losses.push((await step()).loss);
    expect(training.updates).toBe(4);
    expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0);
    await stop();
  });
});
