/**
 * How the parameters of S2AM's three gates lie in one tensor, [3, 3 C units + units + C], so that one kernel takes all in
 * one binding. Matches shaders/lib/packed_gates.wgsl.
 */
import { ShapeError } from "../../errors.js";
import { type Shape, showShape } from "../../graph/tensor.js";

/** A gate's layers, from 2 C pooled values through `units` to C channels. */
export interface GateSize {
  readonly channels: number;
  readonly units: number;
}

export const GATES = 3;

const gateLength = ({ channels, units }: GateSize): number => 3 * channels * units + units + channels;

export const packedShape = (size: GateSize): Shape => [GATES, gateLength(size)];

export interface GatePart {
  /** Elements before it. */
  readonly start: number;
  /** Weights are [inputs, outputs]: the transposes of PyTorch's. */
  readonly shape: Shape;
}

/** The weight and bias of the first layer of gate `gate`, then of the second. */
export function gateParts(gate: number, size: GateSize): readonly [GatePart, GatePart, GatePart, GatePart] {
  const { channels, units } = size;
  const w1 = gate * gateLength(size);
  const b1 = w1 + 2 * channels * units;
  const w2 = b1 + units;
  return [
    { start: w1, shape: [2 * channels, units] },
    { start: b1, shape: [units] },
    { start: w2, shape: [units, channels] },
    { start: w2 + units * channels, shape: [channels] },
  ];
}

/** @throws ShapeError where `packed` is not of three gates of that many channels */
export function gateSize(op: string, channels: number, packed: Shape): GateSize {
  const units = ((packed[1] ?? 0) - channels) / (3 * channels + 1);
  if (packed.length !== 2 || packed[0] !== GATES || !Number.isInteger(units) || units < 1) {
    throw new ShapeError(
      `${op}: packed must be [3, 3 C units + units + C] with C ${channels} channels, got ${showShape(packed)}`,
    );
  }
  return { channels, units };
}
