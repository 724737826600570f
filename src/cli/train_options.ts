/** The options of `s2am train`, and what they and a settings file say together. */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { STYLES } from "../data/synth/spec.js";
import { InputError, UsageError } from "../errors.js";
import { withFileSource } from "../io/file_source.node.js";
import { ARCHS, BLURS, S2AM_PARTS } from "../model/config.js";
import { mergeSettings, OPTIMIZERS, parseSettings, type Settings } from "../train/config.js";
import { LOSSES } from "../train/losses.js";
import { SCHEDULES } from "../train/schedules.js";
import type { CommonOptions } from "./app.js";
import { type KernelKind, listOf, modelFromFile } from "./model_options.js";

export interface TrainOptions extends CommonOptions {
  readonly out?: string;
  readonly resume?: string;
  readonly config?: string;
  readonly adapter?: string;
  readonly tuning?: string | boolean;
  readonly unsafeFast?: boolean;
  readonly kernelsFor?: KernelKind;
  readonly dryRun?: boolean;
}

/** What is no number is left as it is, for the settings' own check to name. */
const number = (text: string): number | string => {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isNaN(value) ? text : value;
};
const numbers = (text: string): (number | string)[] => text.split(",").map(number);

type Parse = typeof number | typeof numbers | typeof listOf | readonly string[];
type Flag = readonly [flags: string, description: string, parse?: Parse];

/** One a setting, under its own name in `Settings`; defaults and ranges are there. */
const SETTING_FLAGS: readonly Flag[] = [
  [
    "--data <folder>",
    "pictures: S-COCO's image/mask/natural, iHarmony4, or x.jpg, x_mask.png and x_real.jpg side by side",
  ],
  ["--synth <folder>", "instead: photographs of which composites are made on the way, no two alike (see s2am synth)"],
  ["--synth-annotations <json>", "they are COCO's, and these their instances"],
  ["--synth-cutouts <folder>", "pictures with an alpha channel, whose silhouettes become masks"],
  ["--synth-pairs", "the folder holds a folder for each rendition of the same photographs"],
  ["--synth-style <name>", "of the restyling (default: mixed)", STYLES],
  ["--synth-count <n>", "composites an epoch (default: 1000, or one for each COCO object)", number],
  ["--val <folder>", "pictures to validate on (default: the data's own, else a share of it)"],
  ["--val-share <0..0.5>", "share to set aside where the data names none (default: 0.1)", number],
  ["--no-augment", "no random crops, flips and colours"],
  ["--arch <name>", "network (default: s2ad)", ARCHS],
  ["--width <channels>", "of the outermost level (default: 64)", number],
  ["--levels <n>", "halvings (default: as many as the size allows, at most 8)", number],
  ["--global-skip", "the network's output is added to its input; it then starts as the identity"],
  ["--no-global-skip", "it is not (default)"],
  ["--blur <kind>", "blur of the mask: 5x5 of the code or 7x7 of the paper (default: code)", BLURS],
  ["--without <parts>", `ablation: S2AM lacks these of ${S2AM_PARTS.join(",")} (default: none)`, listOf],
  ["--init <weights>", "start from these weights, and their network, instead of random ones"],
  ["--size <pixels>", "side of the square pictures the network trains on (default: 256)", number],
  ["--batch <images>", "images whose statistics batch norm takes (default: 8)", number],
  ["--accumulate <n>", "batches whose gradients make one step (default: 1)", number],
  ["--steps <n>", "steps to take", number],
  ["--epochs <n>", "or epochs", number],
  ["--loss <name>", "pixel loss (default: mse)", LOSSES],
  ["--optimizer <name>", "optimizer (default: adam)", OPTIMIZERS],
  ["--lr <rate>", "learning rate (default: 0.001)", number],
  ["--schedule <name>", "of the learning rate (default: constant)", SCHEDULES],
  ["--warmup <steps>", "linear rise of the learning rate at the start (default: 0)", number],
  ["--milestones <shares>", "for step: where in the run the rate falls (default: 0.875,0.958)", numbers],
  ["--factor <0..1>", "for step: what the rate is multiplied by there (default: 0.1)", number],
  ["--hold <0..1>", "for cosine: share of the run before the rate falls (default: 0)", number],
  ["--floor <0..1>", "for cosine: share of the rate that is left at the end (default: 0)", number],
  ["--weight-decay <w>", "of the optimizer (default: 0)", number],
  ["--clip-norm <norm>", "cut the gradient to this norm (default: 0, none)", number],
  ["--ema <0..1>", "average the weights with this much of the past, e.g. 0.998 (default: 0, none)", number],
  ["--seed <n>", "of the weights, the order and the augmentation (default: 0)", number],
  ["--save-every <steps>", "checkpoint every N steps (default: once a minute)", number],
  ["--val-every <epochs>", "validate every N epochs (default: 1)", number],
  ["--val-count <n>", "validate on so many pictures (default: all)", number],
  ["--max-skipped <n>", "stop after so many steps in a row that are not finite (default: 5)", number],
  ["--strict", "stop at the first picture that cannot be read, instead of leaving it out"],
  ["--threads <n>", "that decode pictures (default: one fewer than the processor runs, at most 8)", number],
  ["--recompute", "compute activations again in the backward pass: less memory, more time"],
];

export function withSettingFlags(command: Command): Command {
  for (const [flags, description, parse] of SETTING_FLAGS) {
    const option = new Option(flags, description);
    if (typeof parse === "function") option.argParser<unknown>(parse);
    else if (parse) option.choices(parse);
    command.addOption(option);
  }
  return command;
}

const flagOf = (key: string): string => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/**
 * The settings file's, then the options'; paths made absolute, so that the run can be resumed from anywhere.
 * @throws UsageError naming the option, or file and key, that is unknown or wrong
 */
export async function readSettings(command: Command, { config }: TrainOptions): Promise<Settings> {
  const keys = SETTING_FLAGS.map(([flags]) => new Option(flags).attributeName());
  const given = Object.entries(command.opts()).filter(([key]) => {
    return keys.includes(key) && command.getOptionValueSource(key) === "cli";
  });
  const said = parseSettings(Object.fromEntries(given), flagOf);
  const fromFile = config === undefined ? {} : parseSettings(await readJson(config), (key) => `${config}: ${key}`);
  return absolute(mergeSettings(fromFile, said));
}

function absolute(settings: Settings): Settings {
  const paths = (["data", "val", "init", "synth", "synthAnnotations", "synthCutouts"] as const).flatMap((key) => {
    const path = settings[key];
    return typeof path === "string" ? [[key, resolve(path)]] : [];
  });
  return { ...settings, ...Object.fromEntries(paths) };
}

async function readJson(path: string): Promise<unknown> {
  const bytes = await withFileSource(path, (file) => file.read(0, file.size));
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new InputError(`${path}: is not JSON (${cause instanceof Error ? cause.message : cause})`, { cause });
  }
}

/** Weights to start from bring their network with them. @throws UsageError where the settings name another */
export async function withNetworkOfInit(settings: Settings): Promise<Settings> {
  const { init } = settings;
  if (typeof init !== "string") return settings;
  const { globalSkip, blur, without: parts } = settings;
  const { model } = await modelFromFile(init, { globalSkip, blur, without: parts });
  for (const key of ["arch", "width", "levels"] as const) {
    const [said, found] = [settings[key], model.config[key]];
    if (said !== undefined && said !== found) {
      throw new UsageError(
        `${init}: its ${key} is ${found}, not ${said}: leave ${flagOf(key)} out, or start from other weights`,
      );
    }
  }
  const { without = [], ...config } = model.config;
  return { ...settings, ...config, without: [...without] };
}
