/** The authors' initialisation, seeded: for training from scratch, and for timing networks that have no weights. */
import { type Shape, sizeOf } from "../graph/tensor.js";
import { fromFloat32, type HostTensor } from "../io/tensor_data.js";
import { mulberry32, normals } from "../random.js";
import { checkConfig, type ModelConfig } from "./config.js";
import { levelKey } from "./unet.js";
import { parameterShapes } from "./weights.js";

const LAST_LAYER = `${levelKey(0)}.up.`;

/**
 * Convolutions, transposed convolutions and linear layers: normal with variance 2 / fan_in (PyTorch's fan_in of a
 * transposed convolution is that of its second axis, its output channels); batch norm: weight N(1, 0.02), bias 0.
 * With the global skip the last layer starts at zero, so that training starts from the untouched composite: on a small
 * budget a network that starts from noise does not get past it.
 * @param seed the same seed gives the same weights on every machine; what an ablated network keeps of S2AM starts as in
 *   the whole one
 */
export function initialTensors(config: ModelConfig, seed: number): Map<string, HostTensor> {
  const uniform = mulberry32(seed);
  const normal = normals(uniform);
  const tensors = new Map<string, HostTensor>();
  const kept = parameterShapes(checkConfig(config));
  const shapes = parameterShapes({ ...config, without: [] });
  for (const [key, shape] of shapes) {
    const untouched = config.globalSkip && key.startsWith(LAST_LAYER);
    const draw = untouched ? () => 0 : drawOf(key, shape, shapes, uniform, normal);
    const values = Float32Array.from({ length: sizeOf(shape) }, draw);
    if (kept.has(key)) tensors.set(key, fromFloat32(values, shape, "F32"));
  }
  return tensors;
}

function drawOf(
  key: string,
  shape: Shape,
  shapes: ReadonlyMap<string, Shape>,
  uniform: () => number,
  normal: () => number,
): () => number {
  if (key.endsWith(".running_var")) return () => 1;
  if (key.endsWith(".running_mean")) return () => 0;
  const fanIn = (of: Shape): number => sizeOf(of.slice(1));
  if (key.endsWith(".weight") && shape.length > 1) {
    const deviation = Math.sqrt(2 / fanIn(shape));
    return () => deviation * normal();
  }
  if (key.endsWith(".weight")) return () => 1 + 0.02 * normal();
  const weight = shapes.get(key.replace(/bias$/, "weight")) ?? [];
  if (weight.length < 2) return () => 0; // of a batch norm
  // The authors leave the other biases at PyTorch's default.
  const bound = 1 / Math.sqrt(fanIn(weight));
  return () => bound * (2 * uniform() - 1);
}
