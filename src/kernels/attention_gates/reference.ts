/** S2AM's gates in float64, written for reading. */
import { at, type HostArray } from "../suite.js";
import { type GateSize, gateParts } from "./packing.js";

/** A value, and the sum of the absolute values of its terms. */
export type Measured = readonly [value: number, magnitude: number];

/** One layer's weights [inputs, outputs] and biases inside the packed parameters. */
export function layerOf(packed: HostArray, gate: number, layer: 0 | 1, size: GateSize) {
  const parts = gateParts(gate, size);
  const [weight, bias] = layer === 0 ? [parts[0], parts[1]] : [parts[2], parts[3]];
  const outputs = weight.shape[1] ?? 0;
  return {
    weight: (input: number, output: number) => at(packed.data, weight.start + input * outputs + output),
    bias: (output: number) => at(packed.data, bias.start + output),
  };
}

/** The average and maximum of each channel of an image, and the pixel where the maximum is first. */
export function pool({ shape, data }: HostArray, image: number, channel: number) {
  const [, h = 0, w = 0, c = 0] = shape;
  let [sum, magnitude, largest, first] = [0, 0, Number.NEGATIVE_INFINITY, 0];
  for (let pixel = 0; pixel < h * w; pixel++) {
    const value = at(data, (image * h * w + pixel) * c + channel);
    sum += value;
    magnitude += Math.abs(value);
    if (value > largest) [largest, first] = [value, pixel];
  }
  return {
    average: [sum / (h * w), magnitude / (h * w)] as Measured,
    largest: [largest, Math.abs(largest)] as Measured,
    first,
  };
}

/** relu(W1 pooled + b1) of a gate, for one image's [2 C] pooled values. */
export function unitsOf(pooled: readonly Measured[], packed: HostArray, gate: number, size: GateSize): Measured[] {
  const { weight, bias } = layerOf(packed, gate, 0, size);
  return Array.from({ length: size.units }, (_, unit) => {
    let [sum, magnitude] = [bias(unit), Math.abs(bias(unit))];
    pooled.forEach(([value, of], k) => {
      sum += value * weight(k, unit);
      magnitude += of * Math.abs(weight(k, unit));
    });
    return [Math.max(sum, 0), magnitude];
  });
}

/** sigmoid(W2 units + b2) at one channel; the magnitude is the argument's. */
export function gateOf(
  units: readonly Measured[],
  packed: HostArray,
  gate: number,
  channel: number,
  size: GateSize,
): Measured {
  const { weight, bias } = layerOf(packed, gate, 1, size);
  let [sum, magnitude] = [bias(channel), Math.abs(bias(channel))];
  units.forEach(([value, of], unit) => {
    sum += value * weight(unit, channel);
    magnitude += of * Math.abs(weight(unit, channel));
  });
  return [1 / (1 + Math.exp(-sum)), magnitude];
}
