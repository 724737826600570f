/** Files out of Qt's binary resource bundles (.rcc), which is how some programs pack their pictures. */
import { readFile } from "node:fs/promises";
import { inflateSync } from "node:zlib";

const COMPRESSED = 1;
const FOLDER = 2;
const ZSTANDARD = 4;

/** @param member path inside the bundle, without a leading slash */
export async function readResource(path, member) {
  const bytes = await readFile(path);
  if (bytes.toString("latin1", 0, 4) !== "qres") throw new Error(`${path}: is no bundle of Qt resources`);
  const [version, tree, data, names] = [4, 8, 12, 16].map((at) => bytes.readUInt32BE(at));
  const nodeBytes = version >= 2 ? 22 : 14;
  const nodeAt = (index) => tree + index * nodeBytes;
  const nameOf = (node) => {
    const at = names + bytes.readUInt32BE(node);
    const length = bytes.readUInt16BE(at);
    return Array.from({ length }, (_, i) => String.fromCharCode(bytes.readUInt16BE(at + 6 + 2 * i))).join("");
  };
  let node = nodeAt(0);
  for (const part of member.split("/")) {
    const [count, first] = [bytes.readUInt32BE(node + 6), bytes.readUInt32BE(node + 10)];
    const children = Array.from({ length: count }, (_, i) => nodeAt(first + i));
    const found = children.find((child) => nameOf(child) === part);
    if (found === undefined) throw new Error(`${path}: holds no ${member}`);
    node = found;
  }
  const flags = bytes.readUInt16BE(node + 4);
  if (flags & (FOLDER | ZSTANDARD)) throw new Error(`${path}: ${member} is no file, or packed by Zstandard`);
  const at = data + bytes.readUInt32BE(node + 10);
  const packed = bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at));
  return flags & COMPRESSED ? inflateSync(packed.subarray(4)) : packed;
}
