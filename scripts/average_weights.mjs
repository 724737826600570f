/**
 * Weights between two others of the same network, tensor by tensor: A + SHARE (B - A), in float32.
 *
 *     node scripts/build.mjs --js-only && node scripts/average_weights.mjs A.safetensors B.safetensors SHARE OUT.safetensors
 *
 * Meant for a network and what a further training made of it: between the two often lies one that does better at what the
 * first was trained on and keeps what the second learnt (Wortsman et al. 2022). SHARE is from 0, A, to 1, B. Both are of float32
 * (`s2am convert A.pth A.safetensors --dtype f32` makes any file so).
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseSafetensors, serializeSafetensors } from "../dist/index.js";

const [a, b, share, out] = process.argv.slice(2);
const weight = Number(share);
if (!out || !(weight >= 0 && weight <= 1)) {
  console.error("usage: node scripts/average_weights.mjs A.safetensors B.safetensors 0..1 OUT.safetensors");
  process.exit(2);
}
const [first, second] = await Promise.all([a, b].map(async (path) => parseSafetensors(await readFile(path), path)));
const shapeOf = (tensor) => tensor?.shape.join(" x ") ?? "nothing";
if (first.tensors.size !== second.tensors.size) throw new Error(`${a} and ${b}: not of the same network`);
const floats = ({ dtype, data }, what) => {
  if (dtype !== "F32") throw new Error(`${what} is ${dtype}: convert it to f32 first`);
  return new Float32Array(data.slice().buffer);
};
const between = [...first.tensors].map(([key, tensor]) => {
  const other = second.tensors.get(key);
  if (shapeOf(other) !== shapeOf(tensor)) throw new Error(`${b}: ${key} is ${shapeOf(other)}, not ${shapeOf(tensor)}`);
  const [from, to] = [floats(tensor, `${a}: ${key}`), floats(other, `${b}: ${key}`)];
  const values = from.map((value, i) => value + weight * (to[i] - value));
  return [key, { ...tensor, data: new Uint8Array(values.buffer) }];
});
await writeFile(out, serializeSafetensors(new Map(between), second.metadata));
console.log(`${out}: ${1 - weight} of ${a} and ${weight} of ${b}`);
