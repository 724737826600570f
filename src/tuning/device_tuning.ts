/**
 * The tables that are known for a device, the ones that win first: the user's own, then those that ship. They are attached
 * to the device, as its limits are, because a runtime is made in many places and all of them should choose alike.
 */
import { adapterIdentity, sameAdapter } from "./identity.js";
import { shippedTables } from "./shipped.js";
import { type TuningFile, type TuningTable, tableOf } from "./table.js";

const attached = new WeakMap<GPUDevice, readonly TuningTable[]>();

/**
 * Lets every runtime made on the device from now on choose by these tables, before what ships.
 * @param tables the ones that win first; "off" for none, not even those that ship
 */
export function useTuning(device: GPUDevice, tables: readonly TuningFile[] | "off"): void {
  attached.set(device, tables === "off" ? [] : [...tables.map(tableOf), ...shippedFor(device).map(tableOf)]);
}

/** What runtimes on the device choose by. */
export function tuningOf(device: GPUDevice): readonly TuningTable[] {
  return attached.get(device) ?? (isTuningOff() ? [] : shippedFor(device).map(tableOf));
}

/** Whether somebody has said by what runtimes on the device choose. */
export const hasTuning = (device: GPUDevice): boolean => attached.has(device);

export function shippedFor(device: GPUDevice): readonly TuningFile[] {
  const identity = adapterIdentity(device);
  return shippedTables().filter(({ adapter }) => sameAdapter(adapter, identity));
}

/** S2AM_TUNING=off, where there is an environment: the documented heuristics alone, for figures that compare. */
export function isTuningOff(): boolean {
  const environment: Record<string, string | undefined> | undefined = globalThis.process?.env;
  return environment?.S2AM_TUNING === "off";
}
