/** Random graphs of small ops: sharing memory changes no bit, and the numbers are the oracles'. */
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Runtime } from "../src/graph/runtime.js";
import { input, type Tensor } from "../src/graph/tensor.js";
import { relu, sigmoid, tanh } from "../src/kernels/activation/op.js";
import { channelGate } from "../src/kernels/channel_gate/op.js";
import { concat } from "../src/kernels/concat/op.js";
import { add, mul } from "../src/kernels/elementwise/op.js";
import { globalPool } from "../src/kernels/global_pool/op.js";
import { linear } from "../src/kernels/linear/op.js";
import { reshape } from "../src/kernels/reshape/op.js";
import { slice } from "../src/kernels/slice/op.js";
import type { Draw } from "../src/kernels/suite.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";
import { evaluate } from "./helpers/evaluate.js";
import { expectClose, inputValues, weights, withPlan } from "./helpers/graphs.js";

const GRAPHS = process.env.S2AM_LONG ? 300 : 30;
const MAX_CHANNELS = 24;

let runtime: Runtime;
beforeAll(async () => {
  const { device } = await testDevice();
  runtime = new Runtime(device);
});
afterAll(() => runtime.dispose());

const channelsOf = ({ shape }: Tensor): number => shape.at(-1) ?? 0;

/** A graph over tensors of 12 pixels, and which of its tensors the caller wants. */
function randomGraph(draw: Draw): Record<string, Tensor> {
  const tensors = [input("x", [1, 3, 4, draw(1, 8)])];
  const any = (): Tensor => tensors[draw(0, tensors.length - 1)] as Tensor;
  const like = (x: Tensor, alike: (other: Tensor) => boolean): Tensor => {
    const found = tensors.filter((other) => other !== x && alike(other));
    return found[draw(0, found.length)] ?? x;
  };
  const makers: ((x: Tensor) => Tensor)[] = [
    relu,
    sigmoid,
    tanh,
    (x) =>
      (draw(0, 1) === 0 ? add : mul)(
        x,
        like(x, ({ shape }) => shape.join() === x.shape.join()),
      ),
    (x) => {
      const start = draw(0, channelsOf(x) - 1);
      return slice(x, { start, length: draw(1, channelsOf(x) - start) });
    },
    (x) => reshape(x, x.shape[1] === 3 ? [1, 4, 3, channelsOf(x)] : [1, 3, 4, channelsOf(x)]),
    (x) => {
      const members = [x];
      for (let count = draw(1, 2); count > 0; count--) members.push(like(x, ({ shape }) => shape[1] === x.shape[1]));
      const joined = members.reduce((sum, member) => sum + channelsOf(member), 0);
      return joined <= MAX_CHANNELS ? concat(members) : relu(x);
    },
    (x) => {
      const c = channelsOf(x);
      return channelGate(x, linear(globalPool(x), weights("w", [2 * c, c]), null, { activation: "sigmoid" }));
    },
  ];
  for (let count = draw(3, 14); count > 0; count--) tensors.push((makers[draw(0, makers.length - 1)] ?? relu)(any()));
  const last = tensors.at(-1) as Tensor;
  return Object.fromEntries([last, ...Array.from({ length: draw(0, 2) }, any)].map((tensor, i) => [`y${i}`, tensor]));
}

test("random graphs", async () => {
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (gen) => {
      const outputs = randomGraph((min, max) => gen(fc.integer, { min, max }));
      const tensors = Object.values(outputs);
      const inputs = { x: new Float32Array(0), ...inputValues(tensors) };
      const expected = evaluate(tensors, inputs);
      await withErrorScopes(runtime.device, () =>
        withPlan(runtime, outputs, async (planned) => {
          const found = (await planned.run(inputs)).outputs;
          tensors.forEach((_, i) => {
            expectClose(found[`y${i}`], expected[i], 1e-4);
          });
          expect((await planned.run(inputs)).outputs).toEqual(found);
          await withPlan(
            runtime,
            outputs,
            async (unplanned) => {
              expect((await unplanned.run(inputs)).outputs).toEqual(found);
              expect(planned.parts.activationBytes).toBeLessThanOrEqual(unplanned.parts.activationBytes);
            },
            { planMemory: false },
          );
        }),
      );
    }),
    { numRuns: GRAPHS, seed: 20, endOnFailure: true },
  );
  expect(runtime.memory.liveBuffers).toBeLessThanOrEqual(1); // the zeros that absent operands are bound to
});
