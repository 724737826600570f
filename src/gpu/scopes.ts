/** Runs synchronous GPU calls inside error scopes, so that what WebGPU reports asynchronously becomes an exception. */
import { DeviceLostError, OutOfMemoryError } from "../errors.js";

/**
 * @throws OutOfMemoryError for a failed allocation, Error for a validation or internal error (a fault of this project)
 */
export async function scoped<T>(device: GPUDevice, what: string, calls: () => T): Promise<T> {
  for (const filter of ["internal", "out-of-memory", "validation"] as const) device.pushErrorScope(filter);
  let value: T;
  let pops: Promise<GPUError | null>[];
  try {
    value = calls();
  } finally {
    // Popped at once: scopes form a stack, and other work may push its own while these are awaited.
    pops = [device.popErrorScope(), device.popErrorScope(), device.popErrorScope()];
  }
  const [validation, memory, internal] = await orLost(device, Promise.all(pops));
  if (memory)
    throw new OutOfMemoryError(
      `${what}: the device is out of memory (${memory.message}): use a smaller image or batch`,
    );
  const error = validation ?? internal;
  if (error) throw new Error(`${what}: ${error.message}`);
  return value;
}

/** How long the news of a loss may come after what it broke. */
const LOSS_MS = 50;

/** Awaits GPU work; a lost device may never settle its promises, so its loss is an answer too. */
export async function orLost<T>(device: GPUDevice, work: Promise<T>): Promise<T> {
  const lost = device.lost.then((info): never => {
    throw new DeviceLostError(
      `the GPU device was lost (${info.reason || "unknown reason"}: ${info.message}): open a new device and load again`,
    );
  });
  try {
    return await Promise.race([work, lost]);
  } catch (error) {
    // wgpu rejects what was under way before it says that the device is lost.
    if (!(error instanceof DeviceLostError))
      await Promise.race([lost, new Promise((resolve) => setTimeout(resolve, LOSS_MS))]);
    throw error;
  }
}
