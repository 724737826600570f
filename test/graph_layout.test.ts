/** Concatenations, slices and reshapes that move no data, and those that must. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compile } from "../src/graph/compile.js";
import { applyAll } from "../src/graph/op.js";
import { Runtime } from "../src/graph/runtime.js";
import { input, type Tensor, variable } from "../src/graph/tensor.js";
import { relu, sigmoid } from "../src/kernels/activation/op.js";
import { concat } from "../src/kernels/concat/op.js";
import { add } from "../src/kernels/elementwise/op.js";
import { globalPool, globalPoolOp } from "../src/kernels/global_pool/op.js";
import { pack } from "../src/kernels/pack/op.js";
import { part } from "../src/kernels/part/op.js";
import { reshape } from "../src/kernels/reshape/op.js";
import { slice } from "../src/kernels/slice/op.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";
import { expectOracle, layoutOf, weights } from "./helpers/graphs.js";

let runtime: Runtime;
beforeAll(async () => {
  const { device } = await testDevice();
  runtime = new Runtime(device);
});
afterAll(() => runtime.dispose());

/** Checks the values, the number of dispatches, and that the device has nothing to object to. */
async function expectDispatches(count: number, ...outputs: Tensor[]): Promise<void> {
  const named = Object.fromEntries(outputs.map((tensor, i) => [`y${i}`, tensor]));
  expect(await withErrorScopes(runtime.device, () => expectOracle(runtime, named))).toBe(count);
}

const image = (channels: number, name = "x"): Tensor => input(name, [2, 3, 5, channels]);

describe("concat", () => {
  test("its producers write into the joined storage", async () => {
    const x = image(3);
    const [a, b] = [relu(x), sigmoid(x)];
    const joined = concat([a, b]);
    const { view } = layoutOf(joined);
    expect(view(a)).toMatchObject({ storage: view(joined).storage, pitch: 6, offset: 0 });
    expect(view(b)).toMatchObject({ storage: view(joined).storage, pitch: 6, offset: 3 });
    await expectDispatches(2, joined);
  });

  test("inputs and constants are copied", () =>
    expectDispatches(3, concat([image(3), weights("w", [2, 3, 5, 2]), relu(image(3))])));

  test("one tensor twice", async () => {
    const a = relu(image(4));
    await expectDispatches(3, concat([a, a]));
  });

  test("a tensor beside what is computed from it", async () => {
    const a = relu(image(4));
    const joined = concat([a, sigmoid(a)]);
    await expectDispatches(3, joined);
  });

  test("a tensor beside what is computed from a slice of it", async () => {
    const a = relu(image(6));
    await expectDispatches(3, concat([sigmoid(slice(a, { start: 1, length: 4 })), a]));
  });

  test("a tensor in two concatenations is copied into one of them", async () => {
    const a = relu(image(4));
    await expectDispatches(4, concat([a, sigmoid(image(4))]), concat([sigmoid(image(4)), a]));
  });

  test("nested ones are one storage", async () => {
    const x = image(4);
    const [a, b, c] = [relu(x), sigmoid(x), add(x, x)];
    const inner = concat([a, b]);
    const outer = concat([c, inner]);
    const { view, storages } = layoutOf(outer);
    expect(view(b)).toMatchObject({ storage: view(outer).storage, pitch: 12, offset: 8 });
    expect(storages).toHaveLength(2);
    await expectDispatches(3, outer);
  });

  test("a tensor inside and outside the inner one of two nested ones", async () => {
    const a = relu(image(3));
    await expectDispatches(4, concat([concat([a, sigmoid(image(3))]), a]));
  });

  test("a concatenation twice, and beside its own slice", async () => {
    const joined = () => concat([relu(image(2, "a")), sigmoid(image(3, "b"))]);
    const [first, second] = [joined(), joined()];
    await expectDispatches(4, concat([first, first]));
    await expectDispatches(4, concat([second, slice(second, { start: 1, length: 3 })]));
  });

  test("members that the caller wants too are copied", async () => {
    const [a, b] = [relu(image(4)), sigmoid(image(4))];
    const joined = concat([a, b]);
    expect(layoutOf(joined, a).view(a)).toMatchObject({ pitch: 4, offset: 0 });
    await expectDispatches(3, joined, a);
    await expectDispatches(3, a, joined);
  });

  test("pooled vectors join too", async () => {
    const pooled = globalPool(image(4));
    await expectDispatches(4, concat([relu(pooled), sigmoid(pooled)]));
  });
});

describe("slice", () => {
  test("its reader reads the whole at an offset", async () => {
    const x = image(8);
    const part = slice(x, { start: 3, length: 4 });
    const y = relu(part);
    const { view, storages } = layoutOf(y);
    expect(view(part)).toMatchObject({ storage: view(x).storage, pitch: 8, offset: 3, shape: [2, 3, 5, 4] });
    expect(storages).toHaveLength(2);
    await expectDispatches(1, y);
  });

  test("of slices, and of concatenations", async () => {
    const joined = concat([relu(image(4)), sigmoid(image(4))]);
    const part = slice(slice(joined, { start: 2, length: 5 }), { start: 1, length: 3 });
    const y = relu(part);
    expect(layoutOf(y).view(part)).toMatchObject({ pitch: 8, offset: 3 });
    await expectDispatches(3, y);
  });

  test("two of one tensor in one dispatch", async () => {
    const x = relu(image(8));
    await expectDispatches(2, add(slice(x, { start: 0, length: 4 }), slice(x, { start: 4, length: 4 })));
  });

  test("joined again in another order", async () => {
    const x = relu(image(6));
    await expectDispatches(3, concat([slice(x, { start: 4, length: 2 }), slice(x, { start: 0, length: 4 })]));
  });

  test("as the caller's output it is copied", () => expectDispatches(1, slice(image(6), { start: 2, length: 3 })));
});

describe("pack and part", () => {
  test("a pack's producers write to their places, and its parts are read where they lie", async () => {
    const x = image(4);
    const packed = pack([relu(x), sigmoid(x)], { starts: [0, 128], size: 300 });
    const second = part(packed, { start: 128, shape: [2, 3, 5, 4] });
    const y = relu(second);
    const { view } = layoutOf(y);
    expect(view(second)).toMatchObject({ storage: view(packed).storage, base: 128, offset: 0, pitch: 4 });
    await expectDispatches(3, y);
  });

  test("one dispatch writes two parts", async () => {
    const pooled = applyAll(globalPoolOp, [image(4)], {});
    const packed = pack(pooled, { starts: [0, 64], size: 72 });
    const [averages, first] = pooled.map((tensor) => layoutOf(packed).view(tensor));
    expect([averages?.base, first?.base]).toEqual([0, 64]);
    expect(averages?.storage).toBe(first?.storage);
    const read = part(packed, { start: 64, shape: [2, 4] });
    await expectDispatches(3, relu(read));
  });

  test("inputs, and a tensor that has two places, are copied", async () => {
    const a = relu(image(4));
    const packed = pack([image(4), a, a], { starts: [0, 128, 256], size: 376 });
    await expectDispatches(5, relu(part(packed, { start: 256, shape: [4, 30] })));
  });

  test("parts of a variable are bound at their offset", async () => {
    const whole = variable("whole", [200], () => Float32Array.from({ length: 200 }, (_, i) => i));
    const y = relu(part(whole, { start: 64, shape: [3, 5] }));
    const plan = await compile(runtime, { y });
    expect(plan.parts.dispatches).toHaveLength(1);
    const { outputs } = await withErrorScopes(runtime.device, () => plan.run({}));
    expect([...(outputs.y ?? [])]).toEqual(Array.from({ length: 15 }, (_, i) => 64 + i));
    await plan.dispose();
  });

  test("places that overlap, or at which nothing can be bound, are refused", () => {
    const x = image(4);
    expect(() => pack([x, x], { starts: [0, 64], size: 300 })).toThrow(/must start at a multiple of 64 from 120/);
    expect(() => pack([x], { starts: [4], size: 300 })).toThrow(/multiple of 64/);
    expect(() => part(relu(input("p", [100])), { start: 64, shape: [40] })).toThrow(/not inside packed/);
  });
});

describe("reshape", () => {
  test("of a dense tensor is free", async () => {
    const x = relu(image(4));
    const flat = reshape(x, [2, 60]);
    const y = sigmoid(flat);
    expect(layoutOf(y).view(flat)).toMatchObject({ storage: layoutOf(y).view(x).storage, pitch: 60 });
    await expectDispatches(2, y);
  });

  test("of a slice or a member is a copy", async () => {
    await expectDispatches(2, relu(reshape(slice(image(8), { start: 3, length: 4 }), [30, 4])));
    const a = relu(image(3));
    await expectDispatches(4, concat([a, sigmoid(image(3))]), relu(reshape(a, [2, 45])));
  });

  test("as the caller's output, and of the caller's output", async () => {
    const a = relu(image(4));
    await expectDispatches(2, reshape(a, [4, 30]));
    await expectDispatches(2, a, reshape(a, [120]));
  });
});
