/**
 * Which kernels a training computes with, kept in its checkpoints: a table that is made, updated or left out between start
 * and resume must not change the bits it goes on to.
 */
import type { Runtime } from "../graph/runtime.js";
import { tuningOf } from "../tuning/device_tuning.js";
import { adapterIdentity, identityName } from "../tuning/identity.js";
import type { TuningTable } from "../tuning/table.js";
import type { KernelChoices } from "./kernel_choices_schema.js";

export const kernelChoices = (
  { device }: Runtime,
  ...choices: readonly ReadonlyMap<string, string>[]
): KernelChoices => ({
  adapter: identityName(adapterIdentity(device)),
  choices: Object.fromEntries(choices.flatMap((of) => [...of])),
});

/** The tables of a runtime for a run that goes on: what it was begun with wins over what is known now. */
export function tablesToGoOn(
  device: GPUDevice,
  begun: KernelChoices | undefined,
  warn: (message: string) => void,
): readonly TuningTable[] {
  if (!begun) return tuningOf(device);
  const here = identityName(adapterIdentity(device));
  if (begun.adapter === here) return [new Map(Object.entries(begun.choices)), ...tuningOf(device)];
  warn(
    `the run was begun on ${begun.adapter}, this is ${here}: kernels are chosen anew, and it does not go on to the same bits`,
  );
  return tuningOf(device);
}

/** Warns where this version no longer has a kernel that the run was begun with. */
export function compareChoices(begun: KernelChoices, now: KernelChoices, warn: (message: string) => void): void {
  if (begun.adapter !== now.adapter) return;
  const changed = Object.entries(begun.choices).find(([key, variant]) => (now.choices[key] ?? variant) !== variant);
  if (!changed) return;
  const [key, variant] = changed;
  warn(
    `the run was begun with kernels that are not there any more (${variant} of ${key}): it does not go on to the same bits`,
  );
}
