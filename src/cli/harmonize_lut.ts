/** `s2am harmonize --apply-lut`: tables instead of the network, and no device. */
import { readFile, stat } from "node:fs/promises";
import { InputError, UsageError } from "../errors.js";
import { applyChange } from "../harmonizer/apply_change.js";
import { type Lut, parseCube } from "../image/cube.js";
import { reason } from "../io/file_source.node.js";
import { inputOf, namesOf, type Pair, type PairOptions, type PairReport, writePair } from "./harmonize_pair.js";

export interface LutReport extends PairReport {
  readonly appliedLuts: readonly string[];
  readonly totalMs: number;
}

/** A table of 256^3 points at 32 bytes a line. */
const LARGEST_FILE = 2 ** 29 - 2 ** 24;

/** @throws InputError for a file that cannot be read, or is no .cube file */
export async function readLuts(paths: readonly string[]): Promise<Lut[]> {
  const luts: Lut[] = [];
  for (const path of paths) {
    try {
      const { size } = await stat(path);
      if (size > LARGEST_FILE) throw new InputError(`${path}: ${size} bytes are too many for a .cube file`);
      luts.push(parseCube(await readFile(path, "latin1"), path));
    } catch (cause) {
      if (cause instanceof InputError) throw cause;
      throw new InputError(`${path}: cannot be read (${reason(cause)})`, { cause });
    }
  }
  return luts;
}

export interface LutConflicts {
  readonly lut?: string;
  readonly reference?: unknown;
  readonly sequence?: boolean;
  readonly checkDtype?: boolean;
  readonly fit?: string;
}

/** @param isDefaultFit whether `--fit` was left out @throws UsageError for options that a table leaves no room for */
export function checkLutOptions(options: LutConflicts, isDefaultFit: boolean): void {
  const { lut, reference, sequence = false, checkDtype = false } = options;
  const given: [string, boolean][] = [
    ["--lut", lut !== undefined],
    ["--reference", reference !== undefined],
    ["--sequence", sequence],
    ["--check-dtype", checkDtype],
    ["--fit", !isDefaultFit],
  ];
  const conflict = given.find(([, is]) => is);
  if (conflict) throw new UsageError(`${conflict[0]} has no meaning with --apply-lut, which runs no network`);
}

export async function lutPair(
  pair: Pair,
  luts: readonly Lut[],
  paths: readonly string[],
  options: PairOptions,
): Promise<LutReport> {
  const started = performance.now();
  const { strength, feather } = options;
  const result = applyChange(inputOf(pair), luts, { strength, feather, names: namesOf(pair) });
  const report = await writePair(pair, result, {});
  return { ...report, appliedLuts: paths, totalMs: performance.now() - started };
}
