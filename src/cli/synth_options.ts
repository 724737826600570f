/** Options that `s2am synth` and `s2am train --synth` share. */
import { InvalidArgumentError } from "commander";
import { MASK_KINDS, type MaskKind } from "../data/synth/spec.js";

/** A list such as `cutouts,regions`. */
export function maskKinds(text: string): readonly MaskKind[] {
  const names = text.split(",").map((name) => name.trim());
  const kinds = MASK_KINDS.filter((kind) => names.includes(kind));
  if (kinds.length === 0 || kinds.length < new Set(names).size) {
    throw new InvalidArgumentError(`expected some of ${MASK_KINDS.join(", ")}, with commas between.`);
  }
  return kinds;
}
