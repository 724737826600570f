/**
 * The settings of a training: what may be said, in a file or on the command line, what holds where nothing is said, and
 * which of them fit together. The settings as resolved travel with the run.
 */
import * as v from "valibot";
import { STYLES } from "../data/synth/spec.js";
import { UsageError } from "../errors.js";
import { ARCHS, BLURS, checkConfig, type ModelConfig, S2AM_PARTS, sizeMultiple } from "../model/config.js";
import { LOSSES } from "./losses.js";
import { checkSchedule, SCHEDULES, type Schedule } from "./schedules.js";

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
const between = (least: number, most: number) => {
  const expected = `a number from ${least} to ${most}`;
  return v.pipe(v.number(expected), v.minValue(least, expected), v.maxValue(most, expected));
};
const text = v.pipe(v.string("a text"), v.nonEmpty("a text that is not empty"));
const flag = v.boolean("true or false");
/** In their order, each once, so that the same network is the same text. */
const parts = v.pipe(
  v.array(oneOf(S2AM_PARTS), `a list of ${S2AM_PARTS.join(", ")}`),
  v.transform((names) => S2AM_PARTS.filter((part) => names.includes(part))),
);

/** Composites made as the training goes. */
const synthEntries = {
  /** A folder of photographs, instead of `data`. */
  synth: v.nullable(text),
  /** Of COCO's photographs: their instances. */
  synthAnnotations: v.nullable(text),
  synthCutouts: v.nullable(text),
  /** The folder holds a folder for each rendition. */
  synthPairs: flag,
  synthStyle: oneOf(STYLES),
  /** Composites an epoch. */
  synthCount: v.nullable(count(1)),
};

const SYNTH_DEFAULTS = {
  synth: null,
  synthAnnotations: null,
  synthCutouts: null,
  synthPairs: false,
  synthStyle: "mixed",
  synthCount: null,
} as const;

const entries = {
  data: v.nullable(text),
  val: v.nullable(text),
  valShare: between(0, 0.5),
  augment: flag,
  arch: oneOf(ARCHS),
  width: count(1),
  levels: count(1),
  globalSkip: flag,
  blur: oneOf(BLURS),
  /** Parts that S2AM lacks: an ablation. */
  without: parts,
  init: v.nullable(text),
  size: count(32),
  batch: count(1),
  accumulate: count(1),
  /** The batch that was asked for, where the device had no room for it: `batch` and `accumulate` say how it was cut. */
  batchAsked: v.nullable(count(1)),
  steps: v.nullable(count(1)),
  epochs: v.nullable(count(1)),
  loss: oneOf(LOSSES),
  optimizer: oneOf(OPTIMIZERS),
  lr: positive,
  schedule: oneOf(SCHEDULES),
  warmup: count(0),
  milestones: v.nullable(v.array(between(0, 1), "a list of shares of the run")),
  factor: between(0, 1),
  hold: between(0, 1),
  floor: between(0, 1),
  weightDecay: atLeast(0),
  clipNorm: atLeast(0),
  ema: between(0, 1),
  seed: count(0),
  saveEvery: v.nullable(count(1)),
  valEvery: count(1),
  valCount: v.nullable(count(1)),
  maxSkipped: count(1),
  strict: flag,
  threads: v.nullable(count(0)),
  recompute: flag,
  ...synthEntries,
};

const settingsSchema = v.partial(v.strictObject(entries, "an object of settings"));
/** Runs that began before composites could be made on the way, or parts left out, do not say so. */
export const configSchema = v.strictObject({
  ...entries,
  without: v.optional(parts, []),
  synth: v.optional(synthEntries.synth, SYNTH_DEFAULTS.synth),
  synthAnnotations: v.optional(synthEntries.synthAnnotations, SYNTH_DEFAULTS.synthAnnotations),
  synthCutouts: v.optional(synthEntries.synthCutouts, SYNTH_DEFAULTS.synthCutouts),
  synthPairs: v.optional(synthEntries.synthPairs, SYNTH_DEFAULTS.synthPairs),
  synthStyle: v.optional(synthEntries.synthStyle, SYNTH_DEFAULTS.synthStyle),
  synthCount: v.optional(synthEntries.synthCount, SYNTH_DEFAULTS.synthCount),
});

/** What somebody said. */
export type Settings = v.InferOutput<typeof settingsSchema>;
/** What holds. */
export type TrainConfig = v.InferOutput<typeof configSchema>;

const DEFAULTS = {
  val: null,
  valShare: 0.1,
  augment: true,
  arch: "s2ad",
  width: 64,
  globalSkip: false,
  blur: "code",
  without: [],
  init: null,
  size: 256,
  batch: 8,
  accumulate: 1,
  batchAsked: null,
  steps: null,
  epochs: null,
  loss: "mse",
  optimizer: "adam",
  lr: 1e-3,
  schedule: "constant",
  warmup: 0,
  milestones: null,
  factor: 0.1,
  hold: 0,
  floor: 0,
  weightDecay: 0,
  clipNorm: 0,
  ema: 0,
  seed: 0,
  saveEvery: null,
  valEvery: 1,
  valCount: null,
  maxSkipped: 5,
  strict: false,
  threads: null,
  recompute: false,
  data: null,
  ...SYNTH_DEFAULTS,
} satisfies Omit<TrainConfig, "levels">;

/**
 * @param nameOf how the one who said it calls a setting: `--clip-norm`, or `train.json: clipNorm`
 * @throws UsageError naming the first setting that is unknown or wrong, what it must be, and what came
 */
export function parseSettings(value: unknown, nameOf: (key: string) => string): Settings {
  const result = v.safeParse(settingsSchema, Array.isArray(value) ? null : value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const key = issue.path?.[0]?.key;
  if (key === undefined) throw new UsageError(`${nameOf("").trimEnd()} must be ${issue.message}, got ${shown(value)}`);
  if (!Object.hasOwn(entries, String(key))) {
    throw new UsageError(`${nameOf(String(key))} is no setting; there are ${Object.keys(entries).join(", ")}`);
  }
  throw new UsageError(`${nameOf(String(key))} must be ${issue.message}, got ${shown(issue.input)}`);
}

const shown = (input: unknown): string => (JSON.stringify(input) ?? String(input)).slice(0, 120);

/** What several say together, from the weakest to the strongest, e.g. a file's settings and then the command line's. */
export function mergeSettings(...said: readonly Settings[]): Settings {
  const merged: Settings = {};
  for (const settings of said.map(withoutUndefined)) {
    // Whoever says one of the two means it instead of the other.
    if (settings.steps != null) merged.epochs = null;
    if (settings.epochs != null) merged.steps = null;
    Object.assign(merged, settings);
  }
  return merged;
}

/**
 * @param said from the weakest to the strongest
 * @throws UsageError where settings are missing or do not fit together
 */
export function resolveConfig(...said: readonly Settings[]): TrainConfig {
  const given = mergeSettings(...said);
  checkSources(given);
  const { size = DEFAULTS.size } = given;
  const levels = given.levels ?? Math.min(8, Math.floor(Math.log2(size)));
  // Parsed once more for the order of its keys: the same settings are the same bytes.
  const config = v.parse(configSchema, { ...DEFAULTS, ...given, levels });
  if (config.steps === null && config.epochs === null)
    throw new UsageError("say how long to train: --steps N or --epochs N");
  if (config.steps !== null && config.epochs !== null) throw new UsageError("give --steps or --epochs, not both");
  checkConfig(modelConfigOf(config));
  checkSchedule(scheduleOf(config));
  const multiple = sizeMultiple(config);
  if (size % multiple !== 0) {
    throw new UsageError(
      `the size must be a multiple of ${multiple} for ${levels} levels (2^levels), got ${size}: change --size or --levels`,
    );
  }
  return config;
}

function checkSources({ data, synth, ...others }: Settings): void {
  if (data == null && synth == null) {
    throw new UsageError(
      "give the folder of pictures to train on: --data DIR, or photographs to make them of: --synth DIR",
    );
  }
  if (data != null && synth != null) throw new UsageError("give --data or --synth, not both");
  const needing = (["synthAnnotations", "synthCutouts", "synthPairs", "synthCount"] as const).find(
    (key) => others[key],
  );
  if (synth == null && needing)
    throw new UsageError(`${needing} says how composites are made: give their photographs with --synth DIR`);
  if (others.synthAnnotations != null && (others.synthCutouts != null || others.synthPairs)) {
    throw new UsageError("COCO's annotations are masks by themselves: leave --synth-cutouts and --synth-pairs out");
  }
}

const withoutUndefined = (settings: Settings): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));

export const modelConfigOf = ({ arch, width, levels, globalSkip, blur, without }: TrainConfig): ModelConfig => ({
  arch,
  width,
  levels,
  globalSkip,
  blur,
  ...(without.length > 0 && { without }),
});

export const scheduleOf = ({ schedule, lr, warmup, milestones, factor, hold, floor }: TrainConfig): Schedule => ({
  name: schedule,
  lr,
  warmup,
  ...(milestones && { milestones }),
  factor,
  hold,
  floor,
});

/** What a resumed run may say anew: how long, how often, where the pictures lie. The rest would make it another run. */
const OPEN_ON_RESUME: ReadonlySet<string> = new Set<keyof TrainConfig>([
  "data",
  "val",
  "synth",
  "synthAnnotations",
  "synthCutouts",
  "steps",
  "epochs",
  "saveEvery",
  "valEvery",
  "valCount",
  "maxSkipped",
  "strict",
  "threads",
]);

/**
 * The settings of a run that goes on.
 * @throws UsageError naming a setting that the run has otherwise, both values, and the way out
 */
export function resumeConfig(run: string, saved: TrainConfig, said: Settings): TrainConfig {
  const asked = askedConfig(saved);
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
  for (const [key, value] of Object.entries(said) as [keyof TrainConfig, unknown][]) {
    const before = saved[key];
    if (value === undefined || OPEN_ON_RESUME.has(key) || same(value, before) || same(value, asked[key])) continue;
    throw new UsageError(
      `${run} was trained with ${key} ${shown(before)}, not ${shown(value)}: leave it out to go on as it was, or start another run from its weights (--init ${run}/last.safetensors)`,
    );
  }
  return resolveConfig(saved, { ...said, batch: saved.batch, accumulate: saved.accumulate });
}

/** As it was before a step was cut to fit the device. */
function askedConfig(config: TrainConfig): TrainConfig {
  const { batchAsked, batch, accumulate } = config;
  return batchAsked === null ? config : { ...config, batch: batchAsked, accumulate: (batch * accumulate) / batchAsked };
}

/** The same step in more and smaller micro-batches; null where there are none. @param least images a micro-batch */
export function cutBatch(config: TrainConfig, least: number): TrainConfig | null {
  const { batch, accumulate, batchAsked } = config;
  for (let smaller = Math.floor(batch / 2); smaller >= least; smaller--) {
    if (batch % smaller !== 0) continue;
    return { ...config, batch: smaller, accumulate: (accumulate * batch) / smaller, batchAsked: batchAsked ?? batch };
  }
  return null;
}
