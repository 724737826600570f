/**
 * A table of measured choices as a file: which variant was the fastest for each problem on one adapter. A table can only
 * choose among variants that compute right, so a wrong one costs time and nothing else.
 */
import * as v from "valibot";
import { InputError } from "../errors.js";
import { ENGINE_VERSION } from "../version.js";
import { type AdapterIdentity, sameAdapter } from "./identity.js";

/** Problem key (`problemKey`) to variant name. */
export type TuningTable = ReadonlyMap<string, string>;

const FORMAT = "s2am-tuning";
/** Of the file. A table of another version is left alone. */
export const TUNING_VERSION = 1;

const milliseconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const name = v.pipe(v.string(), v.regex(/^[a-z0-9_]{1,64}$/, "a variant's name"));
const entrySchema = v.strictObject({
  variant: name,
  ms: milliseconds,
  /** What would be chosen without the table, and its time; null where it computed wrongly on this adapter. */
  default: name,
  defaultMs: v.nullable(milliseconds),
});
const text = v.pipe(v.string(), v.maxLength(256));
const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const fileSchema = v.strictObject({
  format: v.literal(FORMAT),
  version: v.literal(TUNING_VERSION),
  /** Of the engine that measured. */
  engine: text,
  /** ISO 8601. */
  date: v.pipe(v.string(), v.isoTimestamp()),
  adapter: v.strictObject({
    vendor: text,
    architecture: text,
    device: text,
    subgroups: v.tuple([size, size]),
    driver: text,
  }),
  entries: v.pipe(
    v.record(v.pipe(v.string(), v.nonEmpty(), v.maxLength(1000)), entrySchema),
    v.check((entries) => Object.keys(entries).length <= MOST_ENTRIES, "at most 100,000 entries"),
  ),
});
const MOST_ENTRIES = 100_000;

export type TuningEntry = Readonly<v.InferOutput<typeof entrySchema>>;
/** Deep-readonly view of the file. */
export interface TuningFile {
  readonly format: typeof FORMAT;
  readonly version: typeof TUNING_VERSION;
  readonly engine: string;
  readonly date: string;
  readonly adapter: AdapterIdentity;
  readonly entries: Readonly<Record<string, TuningEntry>>;
}

export const emptyTuning = (adapter: AdapterIdentity): TuningFile => ({
  format: FORMAT,
  version: TUNING_VERSION,
  engine: ENGINE_VERSION,
  date: new Date().toISOString(),
  adapter,
  entries: {},
});

/** With one more entry, or another for the same problem, measured now. */
export const withEntry = (file: TuningFile, key: string, entry: TuningEntry): TuningFile => ({
  ...file,
  engine: ENGINE_VERSION,
  date: new Date().toISOString(),
  entries: { ...file.entries, [key]: entry },
});

/** Sorted by problem, one a line: tables are read and compared by people. */
export function serializeTuning({ entries, ...head }: TuningFile): string {
  const lines = Object.keys(entries)
    .sort()
    .map((key) => `    ${JSON.stringify(key)}: ${JSON.stringify(entries[key])}`);
  const body = lines.length > 0 ? `\n${lines.join(",\n")}\n  ` : "";
  const { format, version, engine, date, adapter } = head;
  const start = JSON.stringify({ format, version, engine, date, adapter }, null, 2);
  return `${start.slice(0, -2)},\n  "entries": {${body}}\n}\n`;
}

/**
 * @param name what messages call it
 * @throws InputError saying what is wrong with it and how to get a sound one
 */
export function parseTuning(text: string, name: string): TuningFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${name}: is not JSON (${cause instanceof Error ? cause.message : cause}): ${CURE}`, {
      cause,
    });
  }
  return checkTuning(value, name);
}

/** `parseTuning` of JSON that is parsed already. */
export function checkTuning(value: unknown, name: string): TuningFile {
  const { format, version } = (value ?? {}) as { format?: unknown; version?: unknown };
  if (format === FORMAT && version !== TUNING_VERSION) {
    throw new InputError(
      `${name}: is a tuning table of version ${JSON.stringify(version)}, this engine reads ${TUNING_VERSION}: ${CURE}`,
    );
  }
  const result = v.safeParse(fileSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = issue.path?.map(({ key }) => String(key)).join(" > ") ?? "";
  throw new InputError(
    `${name}: is no tuning table (${path === "" ? "" : `${path}: `}expected ${issue.expected ?? issue.message}, got ${issue.received}): ${CURE}`,
  );
}

const CURE = "delete it, or make it anew with s2am tune";

export const tableOf = ({ entries }: TuningFile): TuningTable =>
  new Map(Object.entries(entries).map(([key, { variant }]) => [key, variant]));

/** @throws InputError where a table that somebody chose is another adapter's */
export function assertAdapter({ adapter }: TuningFile, identity: AdapterIdentity, name: string): void {
  if (sameAdapter(adapter, identity)) return;
  const show = ({ vendor, architecture, device, subgroups }: AdapterIdentity): string =>
    `${[vendor, architecture, device].filter(Boolean).join(" ") || "an unnamed adapter"}, subgroups of ${[...new Set(subgroups)].join(" to ")}`;
  throw new InputError(
    `${name}: was measured on ${show(adapter)}, this is ${show(identity)}: measure this one with s2am tune`,
  );
}
