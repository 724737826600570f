/** Every variant of every op on tensors that lie inside others: activations read from slices, results written into a concatenation. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AdapterError } from "../src/errors.js";
import { applyAll } from "../src/graph/op.js";
import { Runtime } from "../src/graph/runtime.js";
import { constant, input, type Shape, type Tensor, variable } from "../src/graph/tensor.js";
import { compareWithOracle, hostInputs, isOverwritten } from "../src/kernels/check.js";
import { concat } from "../src/kernels/concat/op.js";
import { suites } from "../src/kernels/index.js";
import { slice } from "../src/kernels/slice/op.js";
import type { HostArray } from "../src/kernels/suite.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";
import { layoutOf, runGraph, weights } from "./helpers/graphs.js";

/** Inputs that are activations, the first ones or these; the others are parameters, which lie densely. Ops that are not named take one. */
const ACTIVATIONS: Readonly<Record<string, number | readonly number[]>> = {
  conv2d: [0, 3, 4, 8],
  conv2d_compose: [0, 5, 6, 7],
  conv_transpose2d: [0, 4],
  add: 2,
  mul: 2,
  blend: 3,
  channel_gate: 2,
  s2am_compose: 4,
  mse_loss: 2,
  mse_loss_backward: 3,
  l1_loss: 2,
  l1_loss_backward: 3,
  bce_loss: 2,
  bce_loss_backward: 3,
  lsgan_loss_backward: 3,
  foreground_mse_loss: 3,
  foreground_mse_loss_backward: 4,
  step_gate: 2,
  adam: 6,
  update_running: 3,
  ema_update: 4,
  accumulate_gradient: 3,
  activation_backward: 2,
  batch_norm_backward: 2,
  instance_norm_backward: 6,
  linear_backward_weight: 2,
  attention_gates_backward: 6,
  global_pool_backward: 3,
  channel_gate_backward: 4,
  s2am_compose_backward: 4,
  s2am_compose_backward_mask: 4,
  blend_backward: 4,
  channel_pool_backward: 2,
  conv2d_backward_weight: 2,
};

let runtime: Runtime;
beforeAll(async () => {
  const { device } = await testDevice();
  runtime = new Runtime(device);
});
afterAll(() => runtime.dispose());

const isActivation = (op: string, index: number): boolean => {
  const which = ACTIVATIONS[op] ?? 1;
  return typeof which === "number" ? index < which : which.includes(index);
};

const channelsOf = ({ shape }: { shape: Shape }): number => shape.at(-1) ?? 0;

/** The values between `before` and `after` channels of something else. */
function widen({ shape, data }: HostArray, before: number, after: number) {
  const channels = channelsOf({ shape });
  const pitch = before + channels + after;
  const wide = new Float32Array((data.length / channels) * pitch).fill(9);
  data.forEach((value, i) => {
    wide[Math.floor(i / channels) * pitch + before + (i % channels)] = value;
  });
  return { data: wide, shape: [...shape.slice(0, -1), pitch] };
}

/** What `widen` put there. */
const narrow = (wide: Float32Array, before: number, channels: number, after: number): Float32Array =>
  wide.filter((_, i) => {
    const place = i % (before + channels + after);
    return place >= before && place < before + channels;
  });

const ops = suites.filter(({ op }) => op.view === undefined);

describe.each(ops.map((suite) => [suite.op.name, suite] as const))("%s", (name, suite) => {
  // Enough rows to hold sizes on and off the vec4s: pipelines are what takes the time.
  const rows = suite.cases
    .filter(({ timed }) => !timed)
    .filter((row, i) => i < 4 || /_gated_adds|_gated_cuts|_reluin_adds/.test(row.name));

  test.each([
    [4, 8],
    [3, 2],
  ])("%i channels before and %i after", async (before, after) => {
    for (const row of rows) {
      const values = hostInputs(row, 3);
      const inputs = Object.fromEntries(
        values.flatMap((value, i) => (value ? [[`${i}`, widen(value, before, after).data]] : [])),
      );
      let ran = 0;
      for (const { name: variant } of suite.op.variants) {
        // Anew for each variant: what one writes in place is not what the next begins with.
        const tensors = values.map((value, i): Tensor | null => {
          if (!value) return null;
          if (isOverwritten(suite, i)) return variable(`${i}`, value.shape, () => Float32Array.from(value.data));
          if (!isActivation(name, i)) return constant(`${i}`, value.shape, Float32Array.from(value.data));
          return slice(input(`${i}`, widen(value, before, after).shape), { start: before, length: channelsOf(value) });
        });
        const outputs = applyAll(suite.op, tensors, row.attrs, { variant });
        const beside = (y: Tensor, channels: number): Tensor => weights("beside", [...y.shape.slice(0, -1), channels]);
        // What is overwritten in place cannot lie anywhere else.
        const joined = outputs.map((y) => (suite.op.inPlace ? y : concat([beside(y, before), y, beside(y, after)])));
        const layout = layoutOf(...joined);
        for (const y of suite.op.inPlace ? [] : outputs) {
          expect(layout.view(y)).toMatchObject({ pitch: before + channelsOf(y) + after, offset: before });
        }
        let wide: Readonly<Record<string, Float32Array>>;
        try {
          const asked = Object.fromEntries(joined.map((tensor, o) => [`${o}`, tensor]));
          wide = await withErrorScopes(runtime.device, () => runGraph(runtime, asked, inputs));
        } catch (error) {
          if (error instanceof AdapterError) continue; // the variant declines this row
          throw error;
        }
        ran++;
        const found = outputs.map((y, o) => {
          const got = wide[`${o}`] ?? new Float32Array(0);
          return [`${o}`, suite.op.inPlace ? got : narrow(got, before, channelsOf(y), after)] as const;
        });
        const { worst, detail } = compareWithOracle(suite, row, values, Object.fromEntries(found));
        expect(worst, `${name}_${variant} ${row.name}: ${detail}`).toBeLessThanOrEqual(1);
      }
      expect(ran).toBeGreaterThan(0);
    }
  });
});
