/**
 * The manifest of a folder of composites, a JSON document a line: first what they were made from and how, then one entry
 * a composite in the order of their numbers. Two runs that agree in the first line make the same files.
 */
import { InputError } from "../../errors.js";
import type { Split, Subject, SynthSpec } from "./spec.js";
import type { Description } from "./synthesizer.node.js";

/** The authors' folders. */
export const PARTS: Readonly<Record<Split, string>> = { train: "train2017", val: "val2017" };
export const FOLDERS = ["image", "mask", "natural"] as const;

export interface Header
  extends Pick<SynthSpec, "kind" | "masks" | "style" | "size" | "leastShare" | "mostShare" | "crop"> {
  readonly format: typeof FORMAT;
  readonly seed: number;
  /** Of the composites. */
  readonly valShare: number;
  /** Null, or the part that all are of. */
  readonly part: Split | null;
  readonly subjects: number;
  readonly cutouts: number;
  /** Of the sources' names, their parts and objects. */
  readonly sources: string;
}

export const FORMAT = "s2am synth 1";

export interface MadeEntry {
  readonly index: number;
  readonly split: Split;
  /** Of its three files. */
  readonly name: string;
  /** The photograph, below the source's folder. */
  readonly source: string;
  readonly mask: string;
  readonly transform: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly share: number;
  readonly rmse: number;
  readonly clipped: number;
  readonly contrast: number;
}

export interface SkippedEntry {
  readonly index: number;
  readonly split: Split;
  readonly skipped: true;
}

export type Entry = (MadeEntry | SkippedEntry) & {
  /** Attempts before it that were not good enough, by reason. */
  readonly rejected?: Readonly<Record<string, number>>;
  /** What could not be used: messages. */
  readonly unusable?: readonly string[];
};

interface Line extends Description {
  readonly index: number;
  readonly split: Split;
  readonly subject: Subject;
  readonly rejected: readonly string[];
  readonly unusable: readonly string[];
}

/** @param roots what is cut off the front of sources' paths */
export function lineOf(line: Line, roots: readonly string[]): MadeEntry & Entry {
  const { index, split, subject, source, maskSource, reference, window, recipe, measures } = line;
  const isRendition = "rendition" in recipe;
  const parameters = isRendition
    ? { rendition: below(recipe.rendition, roots), window }
    : {
        ...(reference !== null && { reference: below(reference, roots), amount: recipe.amount }),
        adjustments: recipe.adjustments,
        ...(recipe.family !== undefined && { family: recipe.family }),
        ...(recipe.strength !== undefined && { strength: recipe.strength }),
        window,
      };
  return {
    index,
    split,
    name: nameOf(index, subject),
    source: below(source, roots),
    mask: below(maskSource, roots),
    transform: isRendition ? "rendition" : (recipe.transfer ?? "adjustments"),
    parameters: rounded(parameters) as Readonly<Record<string, unknown>>,
    share: round(measures.share),
    rmse: round(measures.rmse),
    clipped: round(measures.clipped),
    contrast: round(measures.contrast),
    ...attempts(line, roots),
  };
}

export const skippedLine = (
  line: Pick<Line, "index" | "split" | "rejected" | "unusable">,
  roots: readonly string[],
): Entry => ({ index: line.index, split: line.split, skipped: true, ...attempts(line, roots) });

function attempts(
  { rejected, unusable }: Pick<Line, "rejected" | "unusable">,
  roots: readonly string[],
): Pick<Entry, "rejected" | "unusable"> {
  const counts: Record<string, number> = {};
  for (const reason of rejected) counts[reason] = (counts[reason] ?? 0) + 1;
  return {
    ...(rejected.length > 0 && { rejected: counts }),
    ...(unusable.length > 0 && { unusable: unusable.map((message) => below(message, roots)) }),
  };
}

/** The number, so that names are unique, and the photograph, so that people see what they have. */
function nameOf(index: number, { name }: Subject): string {
  const stem = name.replace(/^.*\//, "").replace(/\.\w+(?= |$)/, "");
  return `${String(index).padStart(6, "0")}_${stem.replace(/[^\w.-]+/g, "-").slice(0, 40)}.png`;
}

function below(path: string, roots: readonly string[]): string {
  const root = roots.find((one) => path.startsWith(one));
  return root === undefined ? path : path.slice(root.length).replace(/^[/\\]+/, "");
}

const round = (value: number): number => Number(value.toPrecision(5));

const rounded = (value: unknown): unknown => {
  if (typeof value === "number") return round(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rounded(inner)]));
};

export interface Manifest {
  readonly header: Header;
  readonly entries: readonly Entry[];
  /** Bytes up to the last whole line that follows on those before. */
  readonly length: number;
}

/**
 * What a run that was stopped anywhere has left: a last line that is cut off does not count.
 * @returns null where not even the first line is whole
 * @throws InputError where the first line is not that of a manifest
 */
export function parseManifest(bytes: Uint8Array, name: string): Manifest | null {
  const decoder = new TextDecoder();
  const entries: Entry[] = [];
  let header: Header | null = null;
  let length = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, length)) {
    const value = parse(decoder.decode(bytes.subarray(length, end)));
    if (!header) {
      if (value?.format !== FORMAT) {
        throw new InputError(`${name}: is not the manifest of s2am synth; name another folder`);
      }
      header = value as unknown as Header;
    } else if (value?.index === entries.length) entries.push(value as unknown as Entry);
    else break;
    length = end + 1;
  }
  return header && { header, entries, length };
}

function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
