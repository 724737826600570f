/**
 * The gradient of a whole 32 x 32 network against float64: along random directions in the space of all parameters, the
 * GPU's gradient must predict how the loss, computed by the oracles, changes.
 */
import { expect, test } from "vitest";
import { backward } from "../src/autograd/backward.js";
import { compile } from "../src/graph/compile.js";
import { Runtime } from "../src/graph/runtime.js";
import { input, type Tensor } from "../src/graph/tensor.js";
import { fromFloat32, type HostTensor, toFloat32 } from "../src/io/tensor_data.js";
import { mseLoss } from "../src/kernels/mse_loss/op.js";
import { DEFAULT_CONFIG, type ModelConfig } from "../src/model/config.js";
import { TrainLayers } from "../src/model/train_layers.js";
import { unet } from "../src/model/unet.js";
import { mulberry32 } from "../src/random.js";
import { testDevice } from "./helpers/device.js";
import { evaluate } from "./helpers/evaluate.js";
import { hashedPicture, hashedTarget, hashedTensors } from "./helpers/hashed.js";

const config: ModelConfig = { ...DEFAULT_CONFIG, arch: "s2ad", width: 8, levels: 5 };
const [BATCH, SIZE] = [2, 32];
/**
 * All parameters move at once, mostly uphill, so the step is small: the difference's own error falls with its square (1e-2
 * at 2^-16, 2e-4 at 2^-19). float32 rounds such steps; the prediction takes them as rounded.
 */
const STEP = 2 ** -22;
const DIRECTIONS = process.env.S2AM_LONG ? 50 : 3;
const RELATIVE = 1e-4;

function lossGraph(tensors: ReadonlyMap<string, HostTensor>) {
  const layers = new TrainLayers(tensors);
  const { y } = unet(layers, config, input("x", [BATCH, SIZE, SIZE, 4]));
  return { layers, loss: mseLoss(y, input("target", [BATCH, SIZE, SIZE, 3])) };
}

test("s2ad: the gradient along random directions", async () => {
  const { device, description } = await testDevice();
  const runtime = new Runtime(device, { software: description.isSoftware });
  const start = hashedTensors(config);
  const feed = { x: hashedPicture(BATCH, SIZE, SIZE), target: hashedTarget(BATCH, SIZE, SIZE) };
  const { layers, loss } = lossGraph(start);
  const found = backward(
    loss,
    layers.parameters.map(({ tensor }) => tensor),
  );
  const outputs = Object.fromEntries(layers.parameters.map(({ key, tensor }) => [key, found.get(tensor) as Tensor]));
  const plan = await compile(runtime, outputs);
  const gradient = (await plan.run(feed)).outputs;
  await plan.dispose();
  runtime.dispose();

  const draw = mulberry32(9);
  for (let direction = 0; direction < DIRECTIONS; direction++) {
    const [above, below] = [new Map(start), new Map(start)];
    let predicted = 0;
    for (const { key, shape, start: place, toPyTorch } of layers.parameters) {
      const values = toFloat32(start.get(key) as HostTensor);
      const slope = toPyTorch((gradient[key] ?? new Float32Array(0)).slice(place, place + values.length));
      const plus = Float32Array.from(values);
      const minus = Float32Array.from(values);
      // Signs lean to the gradient's, so that the change does not cancel out.
      values.forEach((value, i) => {
        const along = draw() < 0.75 ? Math.sign(slope[i] ?? 0) : 2 * draw() - 1;
        plus[i] = value + STEP * along;
        minus[i] = value - STEP * along;
        predicted += (slope[i] ?? Number.NaN) * ((plus[i] ?? 0) - (minus[i] ?? 0)); // as float32 rounded them
      });
      above.set(key, fromFloat32(plus, shape, "F32"));
      below.set(key, fromFloat32(minus, shape, "F32"));
    }
    const lossOf = (tensors: ReadonlyMap<string, HostTensor>): number =>
      evaluate([lossGraph(tensors).loss], feed)[0]?.[0] ?? Number.NaN;
    const change = lossOf(above) - lossOf(below);
    expect(Math.abs(predicted / change - 1), `direction ${direction}`).toBeLessThanOrEqual(RELATIVE);
  }
});
