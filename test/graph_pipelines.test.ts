/** Pipelines are made once, and a shader that does not compile says where. */
import { beforeAll, expect, test } from "vitest";
import { PipelineCache, type PipelineSpec } from "../src/gpu/pipelines.js";
import type { AnyShader } from "../src/gpu/shader.js";
import { channel_gate } from "../src/shaders.generated.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";

const OVERRIDES = { C: 4, HW: 6, SIZE: 24, X_PITCH: 4, X_OFFSET: 0, G_PITCH: 4, G_OFFSET: 0, Y_PITCH: 4, Y_OFFSET: 0 };
const spec = (options: Partial<PipelineSpec> = {}): PipelineSpec => ({
  shader: channel_gate,
  overrides: OVERRIDES,
  consts: {},
  types: {},
  ...options,
});

let device: GPUDevice;
let cache: PipelineCache;
beforeAll(async () => {
  ({ device } = await testDevice());
  cache = new PipelineCache(device);
});

test("one pipeline for one specification, also when asked for twice at once", async () => {
  const four = "vec4<f32>";
  const vec4 = spec({ consts: { LANES: 4 }, types: { T: four, X: four, Y: four } });
  const [a, b, other] = await Promise.all([cache.get(spec()), cache.get(spec()), cache.get(vec4)]);
  expect(a).toBe(b);
  expect(other).not.toBe(a);
  expect(cache.bindGroupLayout(channel_gate)).toBe(cache.bindGroupLayout(channel_gate));
});

test("a missing override is named", async () => {
  await expect(cache.get(spec({ overrides: {} }))).rejects.toThrow("channel_gate: override C was not given");
});

test("a shader that does not compile says where, and asking again fails again", async () => {
  const broken: AnyShader = {
    ...channel_gate,
    name: "broken",
    source: `${channel_gate.source}\nfn f() { let from = 1; }`,
  };
  for (let i = 0; i < 2; i++) {
    const made = withErrorScopes(device, () => cache.get(spec({ shader: broken })));
    await expect(made).rejects.toThrow(/broken: .*:\d+:\d+ error: 'from' is a reserved keyword/s);
  }
});
