/**
 * The settings of a training: what may be said, in a file or on the command line, what holds where nothing is said, and
 * which of them fit together. The settings as resolved travel with the run.
 */
import * as v from "valibot";
import { UsageError } from "../errors.js";
import { ARCHS, BLURS, type ModelConfig, sizeMultiple } from "../model/config.js";
import { LOSSES } from "./losses.js";
import { SCHEDULES } from "./schedules.js";

export const OPTIMIZERS = ["adam", "adamw"] as const;

/** Each carries its own description: messages say what was expected, in words. */
const count = (least: number) => {
  const expected = `a whole number from ${least}`;
  return v.pipe(v.number(expected), v.safeInteger(expected), v.minValue(least, expected));
};
const atLeast = (least: number) => {
  const expected = `a number from ${least}`;
  return v.pipe(v.number(expected), v.finite(expected), v.minValue(least, expected));
};
const oneOf = <const T extends readonly string[]>(names: T) => v.picklist(names, `one of ${names.join(", ")}`);
const positive = v.pipe(v.number("a number above 0"), v.finite("a number above 0"), v.gtValue(0, "a number above 0"));
const share = v.pipe(
  v.number("a number from 0 to below 1"),
  v.minValue(0, "a number from 0 to below 1"),
  v.ltValue(1, "a number from 0 to below 1"),
);
const text = v.pipe(v.string("a text"), v.nonEmpty("a text that is not empty"));
const flag = v.boolean("true or false");

const entries = {
  data: text,
  val: v.nullable(text),
  arch: oneOf(ARCHS),
  width: count(1),
  levels: count(1),
  globalSkip: flag,
  blur: oneOf(BLURS),
  init: v.nullable(text),
  size: count(32),
  batch: count(1),
  accumulate: count(1),
  steps: v.nullable(count(1)),
  epochs: v.nullable(count(1)),
  loss: oneOf(LOSSES),
  optimizer: oneOf(OPTIMIZERS),
  lr: positive,
  schedule: oneOf(SCHEDULES),
  warmup: count(0),
  weightDecay: atLeast(0),
  clipNorm: atLeast(0),
  ema: share,
  seed: count(0),
  saveEvery: v.nullable(count(1)),
  valEvery: count(1),
  valCount: v.nullable(count(1)),
  maxSkipped: count(1),
  strict: flag,
  recompute: flag,
};

const settingsSchema = v.partial(v.strictObject(entries, "an object of settings"));
export const configSchema = v.strictObject(entries);

/** What somebody said. */
export type Settings = v.InferOutput<typeof settingsSchema>;
/** What holds. */
export type TrainConfig = v.InferOutput<typeof configSchema>;

const DEFAULTS = {
  val: null,
  arch: "s2ad",
  width: 64,
  globalSkip: false,
  blur: "code",
  init: null,
  size: 256,
  batch: 8,
  accumulate: 1,
  steps: null,
  epochs: null,
  loss: "mse",
  optimizer: "adam",
  lr: 1e-3,
  schedule: "constant",
  warmup: 0,
  weightDecay: 0,
  clipNorm: 0,
  ema: 0,
  seed: 0,
  saveEvery: null,
  valEvery: 1,
  valCount: null,
  maxSkipped: 5,
  strict: false,
  recompute: false,
} as const satisfies Omit<TrainConfig, "data" | "levels">;

/**
 * @param nameOf how the one who said it calls a setting: `--clip-norm`, or `train.json: clipNorm`
 * @throws UsageError naming the first setting that is unknown or wrong, what it must be, and what came
 */
export function parseSettings(value: unknown, nameOf: (key: string) => string): Settings {
  const result = v.safeParse(settingsSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const key = issue.path?.[0]?.key;
  if (key === undefined) throw new UsageError(`${nameOf("")}must be ${issue.message}, got ${shown(issue.input)}`);
  if (!Object.hasOwn(entries, String(key))) {
    throw new UsageError(`${nameOf(String(key))} is no setting; there are ${Object.keys(entries).join(", ")}`);
  }
  throw new UsageError(`${nameOf(String(key))} must be ${issue.message}, got ${shown(issue.input)}`);
}

const shown = (input: unknown): string => (JSON.stringify(input) ?? String(input)).slice(0, 120);

/**
 * @param said from the weakest to the strongest, e.g. a file's settings and then the command line's
 * @throws UsageError where settings are missing or do not fit together
 */
export function resolveConfig(...said: readonly Settings[]): TrainConfig {
  const given: Settings = {};
  for (const settings of said) {
    // Whoever says one of the two means it instead of the other.
    if (settings.steps != null) given.epochs = null;
    if (settings.epochs != null) given.steps = null;
    Object.assign(given, settings);
  }
  if (given.data === undefined) throw new UsageError("give the folder of pictures to train on: --data DIR");
  const { size = DEFAULTS.size } = given;
  const levels = given.levels ?? Math.min(8, Math.floor(Math.log2(size)));
  const config: TrainConfig = { ...DEFAULTS, ...withoutUndefined(given), data: given.data, levels };
  if (config.steps === null && config.epochs === null) throw new UsageError("say how long to train: --steps N or --epochs N");
  if (config.steps !== null && config.epochs !== null) throw new UsageError("give --steps or --epochs, not both");
  const multiple = sizeMultiple(config);
  if (size % multiple !== 0) {
    throw new UsageError(`the size must be a multiple of ${multiple} for ${levels} levels (2^levels), got ${size}: change --size or --levels`);
  }
  return config;
}

const withoutUndefined = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as never;

export const modelConfigOf = ({ arch, width, levels, globalSkip, blur }: TrainConfig): ModelConfig => ({
  arch,
  width,
  levels,
  globalSkip,
  blur,
});

/** What a resumed run may say anew: how long, how often, where the pictures lie. The rest would make it another run. */
const OPEN_ON_RESUME: ReadonlySet<string> = new Set<keyof TrainConfig>([
  "data", "val", "steps", "epochs", "saveEvery", "valEvery", "valCount", "maxSkipped", "strict",
]);

/**
 * The settings of a run that goes on.
 * @throws UsageError naming a setting that the run has otherwise, both values, and the way out
 */
export function resumeConfig(run: string, saved: TrainConfig, said: Settings): TrainConfig {
  for (const [key, value] of Object.entries(said)) {
    const before = saved[key as keyof TrainConfig];
    if (value === undefined || value === before || OPEN_ON_RESUME.has(key)) continue;
    throw new UsageError(
      `${run} was trained with ${key} ${before}, not ${value}: leave it out to go on as it was, or start another run from its weights (--init ${run}/last.safetensors)`,
    );
  }
  return resolveConfig(saved, said);
}
