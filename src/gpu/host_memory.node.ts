/** How much memory this process may still take: what a software adapter, which has none of its own, can give. */
import { freemem, totalmem } from "node:os";
import { OutOfMemoryError } from "../errors.js";
import { mebibytes } from "./memory.js";

/** Bytes that the system has to spare, and its container (a limit of 0, or over what there is, is none). */
export function availableMemory(): number {
  const limit = process.constrainedMemory();
  const inContainer = limit > 0 && limit < totalmem() ? limit - process.memoryUsage.rss() : Number.POSITIVE_INFINITY;
  return Math.max(0, Math.min(freemem(), inContainer));
}

/** Throws OutOfMemoryError where the system would rather end the process than give `bytes`. */
export function assertMemory(bytes: number, what: string): void {
  const available = availableMemory();
  if (bytes > available) {
    throw new OutOfMemoryError(`${what} needs ${mebibytes(bytes)} of memory, ${mebibytes(available)} are free`);
  }
}
