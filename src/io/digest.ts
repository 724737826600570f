/** Whether a file of weights is the one that was meant. Safe in a browser. */
import { UsageError, WeightsError } from "../errors.js";
import type { ByteSource } from "./byte_source.js";

/** @returns 64 hexadecimal digits */
export async function sha256Of(source: ByteSource): Promise<string> {
  const bytes = await source.read(0, source.size);
  if (!globalThis.crypto?.subtle) {
    throw new UsageError("sha256: a page can only compute it in a secure context (https, or localhost)");
  }
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * @param expected 64 hexadecimal digits
 * @param said where `expected` comes from, for the message
 * @throws WeightsError where the bytes are others; UsageError where `expected` is no SHA-256
 */
export async function assertSha256(source: ByteSource, expected: string, name: string, said: string): Promise<void> {
  if (!/^[0-9a-f]{64}$/i.test(expected)) {
    throw new UsageError(`${said}: a SHA-256 is 64 hexadecimal digits, got "${expected}"`);
  }
  const found = await sha256Of(source);
  if (found === expected.toLowerCase()) return;
  throw new WeightsError(
    `${name}: its SHA-256 is ${found}, and ${said} says ${expected.toLowerCase()}: it is damaged or another file; get it again`,
  );
}
