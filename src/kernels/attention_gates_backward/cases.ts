import { GATES, gateParts, gateSize, packedShape } from "../attention_gates/packing.js";
import { layerOf } from "../attention_gates/reference.js";
import { at, defineSuite, given, type OpCase, oracleOf } from "../suite.js";
import { attentionGatesBackwardOp } from "./op.js";

function row(n: number, channels: number, units: number, timed = false): OpCase<object> {
  const [one, two] = [
    [n, channels],
    [n, 2 * channels],
  ];
  return {
    name: `${n}x${channels}_u${units}`,
    shapes: [one, two, one, two, [n, GATES * units], two, packedShape({ channels, units })],
    attrs: {},
    fill: ["signed", "signed", "unit", "unit", (unit) => Math.max(0, 2 * unit - 1), "signed", "signed"],
    timed,
  };
}

export const attentionGatesBackwardSuite = defineSuite<object>({
  op: attentionGatesBackwardOp,
  oracle(inputs) {
    const [dForeground, dComposing, foreground, composing, units, pooled] = [0, 1, 2, 3, 4, 5].map(
      (i) => given(inputs, i).data,
    ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
    const packed = given(inputs, 6);
    const [n = 0, c = 0] = given(inputs, 2).shape;
    const size = gateSize("oracle", c, packed.shape);
    const dz = (image: number, gate: number, channel: number): number => {
      const [dg, g, place] =
        gate === 0
          ? [dForeground, foreground, image * c + channel]
          : [dComposing, composing, (2 * image + gate - 1) * c + channel];
      return at(dg, place) * at(g, place) * (1 - at(g, place));
    };
    const unitOf = (image: number, gate: number, unit: number): number =>
      at(units, (image * GATES + gate) * size.units + unit);
    /** The gradient before a unit's ReLU, and the sum of its terms' sizes. */
    const dh = (image: number, gate: number, unit: number): readonly [number, number] => {
      if (unitOf(image, gate, unit) <= 0) return [0, 0];
      const { weight } = layerOf(packed, gate, 1, size);
      let [sum, magnitude] = [0, 0];
      for (let channel = 0; channel < c; channel++) {
        const term = dz(image, gate, channel) * weight(unit, channel);
        sum += term;
        magnitude += Math.abs(term);
      }
      return [sum, magnitude];
    };
    const total = (terms: readonly (readonly [number, number])[]): readonly [number, number] => [
      terms.reduce((sum, [value]) => sum + value, 0),
      terms.reduce((sum, [, magnitude]) => sum + magnitude, 0),
    ];
    const times = (factor: number, [value, magnitude]: readonly [number, number]): readonly [number, number] => [
      factor * value,
      Math.abs(factor) * magnitude,
    ];
    const exact = (value: number): readonly [number, number] => [value, Math.abs(value)];
    const images = Array.from({ length: n }, (_, image) => image);
    const dPooled = (i: number) => {
      const [image, input] = [Math.floor(i / (2 * c)), i % (2 * c)];
      return total(
        Array.from({ length: GATES * size.units }, (_, place) => {
          const [gate, unit] = [Math.floor(place / size.units), place % size.units];
          return times(layerOf(packed, gate, 0, size).weight(input, unit), dh(image, gate, unit));
        }),
      );
    };
    const dPacked = (i: number) => {
      const gate = Math.floor(i / (packed.shape[1] ?? 1));
      const [w1, b1, w2, b2] = gateParts(gate, size);
      if (i < b1.start) {
        const [input, unit] = [Math.floor((i - w1.start) / size.units), (i - w1.start) % size.units];
        return total(images.map((image) => times(at(pooled, 2 * image * c + input), dh(image, gate, unit))));
      }
      if (i < w2.start) return total(images.map((image) => dh(image, gate, i - b1.start)));
      if (i >= b2.start) return total(images.map((image) => exact(dz(image, gate, i - b2.start))));
      const [unit, channel] = [Math.floor((i - w2.start) / c), (i - w2.start) % c];
      return total(images.map((image) => exact(unitOf(image, gate, unit) * dz(image, gate, channel))));
    };
    return [oracleOf([n, 2 * c], GATES * size.units + c + 3, dPooled), oracleOf(packed.shape, n + c + 3, dPacked)];
  },
  cases: [row(1, 1, 1), row(2, 7, 2), row(1, 16, 1), row(3, 40, 5), row(4, 32, 2, true), row(4, 128, 8, true)],
  random: (draw) => row(draw(1, 3), draw(1, 40), draw(1, 6)),
});
