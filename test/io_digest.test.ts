/** Weights are held against the SHA-256 that comes with them. */
import { createHash } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { InputError, UsageError, WeightsError } from "../src/errors.js";
import { bytesSource } from "../src/io/byte_source.js";
import { assertSha256, sha256Of } from "../src/io/digest.js";
import { checkDigestFile } from "../src/io/digest_file.node.js";
import { DEFAULT_WEIGHTS } from "../src/package.node.js";

const bytes = new TextEncoder().encode("abc");
/** FIPS 180-2, appendix B.1. */
const DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "s2am-digest-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("the digest of the standard's example", async () => {
  expect(await sha256Of(bytesSource(bytes))).toBe(DIGEST);
  await assertSha256(bytesSource(bytes), DIGEST.toUpperCase(), "abc", "sha256");
});

test("other bytes, and what is no digest, are refused", async () => {
  const other = bytesSource(new TextEncoder().encode("abd"));
  await expect(assertSha256(other, DIGEST, "w.safetensors", "sha256")).rejects.toThrow(WeightsError);
  await expect(assertSha256(other, DIGEST, "w.safetensors", "sha256")).rejects.toThrow(`sha256 says ${DIGEST}`);
  await expect(assertSha256(other, "ba78", "w.safetensors", "sha256")).rejects.toThrow(UsageError);
});

test("the weights in the box are those that their file says", async () => {
  const path = DEFAULT_WEIGHTS();
  await checkDigestFile(bytesSource(readFileSync(path)), path);
  const said = readFileSync(`${path}.sha256`, "utf8");
  expect(createHash("sha256").update(readFileSync(path)).digest("hex")).toBe(said.slice(0, 64));
  // The card carries the same.
  expect(readFileSync(join(path, "..", "README.md"), "utf8")).toContain(said.slice(0, 64));
});

test("a file beside the weights is heeded: missing, right, wrong, of another file", async () => {
  const path = join(folder, "w.safetensors");
  copyFileSync(DEFAULT_WEIGHTS(), path);
  const source = bytesSource(readFileSync(path));
  await checkDigestFile(source, path);
  const digest = await sha256Of(source);
  writeFileSync(`${path}.sha256`, `${digest} *${basename(path)}\n`);
  await checkDigestFile(source, path);
  writeFileSync(`${path}.sha256`, `${DIGEST}  ${basename(path)}\n`);
  await expect(checkDigestFile(source, path)).rejects.toThrow(WeightsError);
  writeFileSync(`${path}.sha256`, `${digest}  other.safetensors\n`);
  await expect(checkDigestFile(source, path)).rejects.toThrow(InputError);
  writeFileSync(`${path}.sha256`, "\n");
  await expect(checkDigestFile(source, path)).rejects.toThrow(UsageError);
});
