/** What a node costs at the least, and how wide a pass is: what benches hold measured times against. */
import type { Pass } from "./op.js";
import { bytesOf, type GraphNode, sizeOf, type Tensor } from "./tensor.js";

const sizeInBytes = ({ shape, dtype }: Tensor): number => sizeOf(shape) * bytesOf(dtype);

/** Bytes of the node's distinct inputs and its outputs, each moved once: the same for every variant, scratch left out. */
export function minimalBytes({ inputs, outputs }: GraphNode): number {
  const moved = [...new Set(inputs), ...outputs];
  return moved.reduce((sum, tensor) => sum + (tensor ? sizeInBytes(tensor) : 0), 0);
}

/** Threads that a pass starts; null where the shader's workgroup size is not a number, an override or a plain constant. */
export function invocationsOf({ shader, overrides, consts, workgroups }: Pass): number | null {
  const declared = /@workgroup_size\(([^)]*)\)/.exec(shader.source)?.[1];
  if (declared === undefined) return null;
  const sizes = declared.split(",").map((text) => numberOf(text.trim(), shader.source, { ...overrides, ...consts }));
  const known = sizes.filter((size) => size !== null);
  if (known.length < sizes.length) return null;
  return [...known, ...workgroups].reduce((product, count) => product * count, 1);
}

function numberOf(name: string, source: string, given: Readonly<Record<string, number>>): number | null {
  const literal = /^(\d+)u?$/.exec(name)?.[1];
  if (literal !== undefined) return Number(literal);
  const value = given[name];
  if (value !== undefined) return value;
  const standard = new RegExp(`^(?:override|const) ${name}\\s*(?::\\s*u32)?\\s*=\\s*(\\w+)`, "m").exec(source)?.[1];
  return standard === undefined ? null : numberOf(standard, source, given);
}
