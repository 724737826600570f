/** Losses where their formulas have edges; the rest is the suites' and the gradient check's. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { backward } from "../src/autograd/backward.js";
import { InputError } from "../src/errors.js";
import { Runtime } from "../src/graph/runtime.js";
import { input, type Tensor } from "../src/graph/tensor.js";
import { bceLoss } from "../src/kernels/bce_loss/op.js";
import { foregroundMseLoss } from "../src/kernels/foreground_mse_loss/op.js";
import { l1Loss } from "../src/kernels/l1_loss/op.js";
import { lsganLoss } from "../src/kernels/lsgan_loss/op.js";
import { mseLoss } from "../src/kernels/mse_loss/op.js";
import { type LossName, lossOf } from "../src/train/losses.js";
import { testDevice } from "./helpers/device.js";
import { runGraph, type Values, values } from "./helpers/graphs.js";

let runtime: Runtime;
beforeAll(async () => {
  const { device } = await testDevice();
  runtime = new Runtime(device);
});
afterAll(() => runtime.dispose());

/** A loss and its gradient by y. */
async function evaluate(loss: Tensor, y: Tensor, inputs: Values) {
  const dy = backward(loss, [y]).get(y) as Tensor;
  const { loss: value, dy: gradient } = await runGraph(runtime, { loss, dy }, inputs);
  return { value: value?.[0] ?? Number.NaN, gradient: [...(gradient ?? [])] };
}

test("bce_loss stays finite where a certain guess is wrong, as in PyTorch", async () => {
  const [y, target] = [input("y", [6]), input("target", [6])];
  const { value, gradient } = await evaluate(bceLoss(y, target), y, {
    y: new Float32Array([0, 1, 0, 1, 0.25, 0.9]),
    target: new Float32Array([1, 0, 0, 1, 0.5, 0.9]),
  });
  expect(value / 33.52701186502955).toBeCloseTo(1, 6);
  expect((gradient[0] ?? 0) / -1.6666667e11).toBeCloseTo(1, 6);
  expect((gradient[1] ?? 0) / 1.6666667e11).toBeCloseTo(1, 6);
  expect(gradient.slice(2, 4)).toEqual([0, 0]);
  expect(gradient[4]).toBeCloseTo(-0.2222222, 6);
});

test("l1_loss takes no gradient where it is met exactly", async () => {
  const [y, target] = [input("y", [4]), input("target", [4])];
  const { value, gradient } = await evaluate(l1Loss(y, target), y, {
    y: new Float32Array([1, 2, -3, 0]),
    target: new Float32Array([1, 0, 0, 0]),
  });
  expect(value).toBe(1.25);
  expect(gradient).toEqual([0, 0.25, -0.25, 0]);
});

test("lsgan_loss wants 1 of what is real and 0 of what is not", async () => {
  const y = input("y", [2]);
  const feed = { y: new Float32Array([1, 0]) };
  expect((await evaluate(lsganLoss(y, { real: true }), y, feed)).gradient).toEqual([0, -1]);
  expect((await evaluate(lsganLoss(y, { real: false }), y, feed)).gradient).toEqual([1, 0]);
});

test("foreground_mse_loss weighs by the foreground, down to the least area; with a full mask it is mse_loss", async () => {
  const shape = [2, 4, 4, 3];
  const [y, target, mask] = [input("y", shape), input("target", shape), input("mask", [2, 4, 4, 1])];
  const feed = { y: values(shape, 1), target: values(shape, 2) };
  const of = async (filled: number, minArea: number): Promise<number> => {
    const masks = Float32Array.from({ length: 32 }, (_, i) => (i % 16 < filled ? 1 : 0));
    return (await evaluate(foregroundMseLoss(y, target, mask, { minArea }), y, { ...feed, mask: masks })).value;
  };
  const plain = (await evaluate(mseLoss(y, target), y, feed)).value;
  expect((await of(16, 1)) / plain).toBeCloseTo(1, 6);
  expect((await of(4, 1)) / plain).toBeCloseTo(4, 5);
  expect((await of(0, 2)) / plain).toBeCloseTo(8, 5);
  expect(() => foregroundMseLoss(y, target, mask, { minArea: 0 })).toThrow(InputError);
  expect(() => foregroundMseLoss(y, target, mask, { minArea: 1, knee: -1 })).toThrow(InputError);
});

test("fn_log is the logarithm of each picture's error above its knee, and the error itself far below it", async () => {
  const shape = [2, 4, 4, 3];
  const [y, target, x] = [input("y", shape), input("target", shape), input("x", [2, 4, 4, 4])];
  const [a, b] = [values(shape, 1), values(shape, 2)];
  const feed = { target: b, x: new Float32Array(2 * 4 * 4 * 4).fill(1) };
  const of = (name: LossName, at: Float32Array): Promise<{ value: number }> =>
    evaluate(lossOf(name, y, target, x), y, { ...feed, y: at });
  const errors = [0, 1].map(
    (n) => a.reduce((sum, v, i) => sum + (i >= 48 * n && i < 48 * n + 48 ? (v - (b[i] ?? 0)) ** 2 : 0), 0) / 48,
  );
  const expected = errors.reduce((sum, error) => sum + (5e-4 * Math.log1p(error / 5e-4)) / 2, 0);
  expect((await of("fn_log", a)).value / expected).toBeCloseTo(1, 5);
  const near = b.map((v, i) => v + (i % 2 ? 1e-4 : -1e-4));
  expect((await of("fn_log", near)).value / (await of("fn_mse", near)).value).toBeCloseTo(1, 4);
});

test("a loss that cannot be differentiated by its target says so", () => {
  const [y, target] = [input("y", [2]), input("target", [2])];
  expect(() => backward(bceLoss(y, target), [target])).toThrow("bce_loss has no gradient by the target");
  expect(backward(mseLoss(y, target), [target]).get(target)?.shape).toEqual([2]);
});
