/**
 * The device that GPU tests share, one a worker: S2AM_ADAPTER if it is set, else the bundled adapter, so that results do
 * not hang on the machine. Every test should run inside `withErrorScopes`.
 */

import type { OpenedDevice } from "../../src/gpu/device.js";
import { openDevice } from "../../src/gpu/open_device.node.js";

let opened: Promise<OpenedDevice> | undefined;

export function testDevice(): Promise<OpenedDevice> {
  opened ??= openDevice({ adapter: process.env.S2AM_ADAPTER || "bundled", log: () => undefined });
  return opened;
}

/** Runs a test's body and fails it on any validation, internal or out-of-memory error it caused. */
export async function withErrorScopes<T>(device: GPUDevice, body: () => T | Promise<T>): Promise<T> {
  const filters = ["validation", "internal", "out-of-memory"] as const;
  for (const filter of filters) device.pushErrorScope(filter);
  let pops: Promise<GPUError | null>[] = [];
  let value: T;
  try {
    value = await body();
  } finally {
    pops = filters.map(() => device.popErrorScope());
  }
  const errors = (await Promise.all(pops)).filter((error) => error !== null);
  if (errors.length > 0) throw new Error(`WebGPU errors: ${errors.map((error) => error.message).join("\n")}`);
  return value;
}
