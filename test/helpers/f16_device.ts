/**
 * The device that f16 tests share: the tests' own where it has shader-f16, else the system's software adapter, which may
 * have it where the bundled one does not; null where neither has.
 */
import { openDevice } from "../../src/gpu/open_device.node.js";
import { testDevice } from "./device.js";

const hasF16 = (device: GPUDevice): boolean => device.features.has("shader-f16");

/** Why such tests are skipped. */
export const NO_F16 = "neither the tests' adapter nor the system's software adapter has shader-f16";

let found: Promise<GPUDevice | null> | undefined;

export function f16Device(): Promise<GPUDevice | null> {
  found ??= find();
  return found;
}

async function find(): Promise<GPUDevice | null> {
  const { device } = await testDevice();
  if (hasF16(device)) return device;
  // Falls back on the bundled adapter by itself.
  const { device: other } = await openDevice({ adapter: "software", log: () => undefined });
  return hasF16(other) ? other : null;
}
