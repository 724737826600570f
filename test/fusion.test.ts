/** What is fused stays fused: no dispatch whose only work is to copy, add, gate or compose, and few of them in all. */
import { beforeAll, expect, test } from "vitest";
import { planGraph } from "../src/graph/plan_graph.js";
import { Runtime } from "../src/graph/runtime.js";
import { type Arch, DEFAULT_CONFIG, type ModelConfig } from "../src/model/config.js";
import { initialTensors } from "../src/model/init.js";
import { Network } from "../src/model/network.js";
import { loadModel } from "../src/model/weights.js";
import { TrainStep } from "../src/train/train_step.js";
import { testDevice } from "./helpers/device.js";

let device: GPUDevice;
beforeAll(async () => {
  ({ device } = await testDevice());
});

const count = (shaders: readonly string[], ...names: string[]): number =>
  shaders.filter((shader) => names.includes(shader)).length;

/** Ops of a run that dispatch: 2 a level, and of each S2AM its mask, the order of its tiles, its gates and 2 convolutions. */
const NETS: readonly (readonly [Arch, number])[] = [
  ["unet", 10],
  ["s2asc", 25],
  ["s2ad", 25],
];

test.each(NETS)("a run of %s is %i ops on a GPU", (arch, ops) => {
  const config: ModelConfig = { ...DEFAULT_CONFIG, arch, width: 16, levels: 5, globalSkip: true };
  const network = new Network(loadModel(initialTensors(config, 1), {}, config), device, { software: false });
  // Not told that this adapter is a CPU, the engine plans what it would on a GPU; nothing is compiled for that.
  const { passes } = planGraph(network.runtime, { y: network.graph([1, 64, 64]).y }, {});
  expect(new Set(passes.map(({ step }) => step.node)).size).toBe(ops);
});

test("a training step copies and adds nothing, and updates small parameters together", async () => {
  const config: ModelConfig = { ...DEFAULT_CONFIG, arch: "s2ad", width: 8, levels: 5, globalSkip: true };
  const runtime = new Runtime(device);
  const options = { config, batch: 2, size: 32, loss: "mse", optimizer: { name: "adam" }, emaDecay: 0.9 } as const;
  const training = await TrainStep.create(runtime, options, initialTensors(config, 1));
  const shaders = training.dispatches.map(({ shader }) => shader);
  expect(count(shaders, "copy", "elementwise", "slice_backward")).toBe(0);
  const large = [...initialTensors(config, 1).values()].filter(({ data }) => data.length / 4 > 8192).length;
  expect(large).toBeLessThan(20);
  for (const shader of ["adam", "ema_update"]) expect(count(shaders, shader)).toBe(large + 1);
  expect(count(shaders, "update_running")).toBe(1);
  await training.dispose();
  runtime.dispose();
});
