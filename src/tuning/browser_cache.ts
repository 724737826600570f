/** A user's own table in a browser: kept in Cache Storage, one an adapter, from visit to visit. */
import { useTuning } from "./device_tuning.js";
import { adapterIdentity, identityName, sameAdapter } from "./identity.js";
import { parseTuning, serializeTuning, type TuningFile } from "./table.js";

const CACHE = "s2am-webgpu-tuning";

export interface TuningCacheOptions {
  /** The browser's own unless given. */
  readonly caches?: CacheStorage | undefined;
  /** Told why a table that is there is left alone; the console's warning unless given. */
  readonly warn?: (message: string) => void;
}

/** Keys must be addresses; this one leads nowhere. */
const addressOf = (device: GPUDevice): string => {
  return `https://s2am-webgpu.invalid/tuning/${identityName(adapterIdentity(device))}.json`;
};

/** Missing outside browsers, and on pages that are not served securely. */
const browserCaches = (): CacheStorage | undefined => (globalThis as { caches?: CacheStorage }).caches;

/**
 * The table that `saveTuning` kept for the device's adapter. From then on, runtimes on the device choose by it.
 * @returns null where there is none, or none that is sound: then what ships and the heuristics decide
 */
export async function loadTuning(device: GPUDevice, options: TuningCacheOptions = {}): Promise<TuningFile | null> {
  const { caches = browserCaches(), warn = (message) => console.warn(message) } = options;
  if (!caches) return null;
  const address = addressOf(device);
  try {
    const response = await (await caches.open(CACHE)).match(address);
    if (!response) return null;
    const file = parseTuning(await response.text(), `the cached tuning table ${address}`);
    if (!sameAdapter(file.adapter, adapterIdentity(device))) return null;
    useTuning(device, [file]);
    return file;
  } catch (error) {
    warn(
      `${error instanceof Error ? error.message : error}: ignored (forgetTuning() removes it, tune() makes another)`,
    );
    return null;
  }
}

/** Keeps a table for later visits, in place of an earlier one, and lets runtimes on the device choose by it. */
export async function saveTuning(device: GPUDevice, file: TuningFile, options: TuningCacheOptions = {}): Promise<void> {
  useTuning(device, [file]);
  const caches = options.caches ?? browserCaches();
  const body = new Response(serializeTuning(file), { headers: { "content-type": "application/json" } });
  await (await caches?.open(CACHE))?.put(addressOf(device), body);
}

/** Removes the table that was kept for the device's adapter. @returns whether there was one */
export async function forgetTuning(device: GPUDevice, options: TuningCacheOptions = {}): Promise<boolean> {
  const caches = options.caches ?? browserCaches();
  return (await (await caches?.open(CACHE))?.delete(addressOf(device))) ?? false;
}
