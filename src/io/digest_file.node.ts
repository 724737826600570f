/** Weights may come with a file of their SHA-256 beside them, as sha256sum writes it: those in the box do. */
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { InputError } from "../errors.js";
import type { ByteSource } from "./byte_source.js";
import { assertSha256 } from "./digest.js";
import { reason } from "./file_source.node.js";

/**
 * Compares `source` with `PATH.sha256`, where there is one.
 * @throws WeightsError where they disagree, InputError where that file cannot be read
 */
export async function checkDigestFile(source: ByteSource, path: string): Promise<void> {
  const beside = `${path}.sha256`;
  const text = await readFile(beside, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT" || cause.code === "ENOTDIR") return null;
    throw new InputError(`${beside}: cannot be read (${reason(cause)})`, { cause });
  });
  if (text === null) return;
  const [digest = "", name] = (text.trim().split("\n")[0] ?? "").split(/\s+\*?/);
  const other = name !== undefined && name !== basename(path);
  if (other) throw new InputError(`${beside}: is of ${name}, not of ${basename(path)}`);
  await assertSha256(source, digest, path, beside);
}
