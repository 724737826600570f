/** Of what kind the change in each composite is, as the manifest beside the pictures says. */
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";

/** `s2am synth` writes manifest.jsonl, manifest.train.jsonl and manifest.val.jsonl. */
const MANIFEST = /^manifest(\.\w+)?\.jsonl$/;

/**
 * By the pictures' file names: the family of a composite of the style `varied`, else the transfer whose colours it took, or
 * `adjustments`. Empty where no manifest lies in the folder; lines that say neither are passed over.
 */
export async function readChanges(folder: string): Promise<ReadonlyMap<string, string>> {
  const changes = new Map<string, string>();
  const files = await readdir(folder).catch((): string[] => []);
  for (const file of files.filter((name) => MANIFEST.test(name))) {
    for (const line of (await readFile(join(folder, file), "utf8")).split("\n")) {
      const entry = parsed(line);
      const change = entry?.parameters?.family ?? entry?.transform;
      if (typeof entry?.name === "string" && typeof change === "string") changes.set(entry.name, change);
    }
  }
  return changes;
}

/** @param name of a picture as the data's layout has it, with its folders */
export const changeOf = (changes: ReadonlyMap<string, string>, name: string): string | undefined =>
  changes.get(basename(name));

interface Line {
  readonly name?: unknown;
  readonly transform?: unknown;
  readonly parameters?: { readonly family?: unknown } | null;
}

function parsed(line: string): Line | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" ? value : null;
  } catch {
    return null; // the last line of a run that was stopped
  }
}
