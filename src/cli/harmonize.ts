/** `s2am harmonize`: one composite, or a folder of them. */
import { stat } from "node:fs/promises";
import { Command, InvalidArgumentError } from "commander";
import { UsageError } from "../errors.js";
import type { DType } from "../graph/tensor.js";
import { DEFAULT_WORKING_SIZE, type Region } from "../harmonizer.js";
import { DEFAULT_MAX_PIXELS } from "../image/codec.node.js";
import { showDtypeError } from "../model/dtype_error.js";
import type { ModelOptions } from "../model/weights.js";
import { DEFAULT_WEIGHTS } from "../package.node.js";
import { type CommandContext, type CommonOptions, numberBetween, printResult, withCommonOptions } from "./app.js";
import { findPairs, harmonizeFolder } from "./harmonize_folder.js";
import { harmonizePair, type Job, type PairOptions, readPair } from "./harmonize_pair.js";
import {
  checkMatrixOption,
  type KernelKind,
  withDeviceOptions,
  withDtypeOption,
  withModelFlags,
} from "./model_options.js";
import { withHarmonizer } from "./session.js";

interface HarmonizeOptions extends CommonOptions, PairOptions, ModelOptions {
  readonly output: string;
  readonly weights: string;
  readonly adapter?: string;
  readonly tuning?: string | boolean;
  readonly unsafeFast?: boolean;
  readonly kernelsFor?: KernelKind;
  readonly compare?: string;
  readonly mask: readonly string[];
  readonly dtype: DType;
  readonly matrixUnits?: boolean;
}

const EXAMPLES = `
Examples:
  s2am harmonize composite.jpg mask.png -o harmonized.jpg
  s2am harmonize cutout_on_photo.png -o out.png          the alpha channel is the mask
  s2am harmonize composite.jpg mask.png -o out.png --strength 0.7 --feather 3 --compare strip.png
  s2am harmonize composite.png --mask sofa.png --mask cat.png -o out.png
  s2am harmonize composite.jpg mask.png -o out.png --reference 0,400,900,600
  s2am harmonize folder/ -o results/                     every NAME.EXT with a NAME_mask.png beside it

Several masks: each object gets a correction of its own, in the order given, against the picture as harmonized so far; those
still to come do not count as background. Later ones lie on top: a pixel that two masks claim is the later one's. In a folder
they are NAME_mask_1.png, NAME_mask_2.png, ...

--reference x,y,width,height, in pixels of the picture: the object is matched to that part of the background instead of all
of it. Take a large one, of what the object is to look like: a small patch of one colour pulls the object to that colour. In a
folder it holds for every picture.`;

const addMask = (path: string, before: readonly string[]): readonly string[] => [...before, path];

function parseRegion(text: string): Region {
  const numbers = text.split(",").map((part) => (/^\s*-?\d+\s*$/.test(part) ? Number(part) : Number.NaN));
  const [x, y, width, height] = numbers as [number, number, number, number];
  if (numbers.length !== 4 || numbers.some(Number.isNaN)) {
    throw new InvalidArgumentError("expected four whole numbers x,y,width,height, in pixels of the picture.");
  }
  return { x, y, width, height };
}

export function harmonizeCommand({ note }: CommandContext): Command {
  const command = new Command("harmonize")
    .description("make the masked region of a picture match the rest of it")
    .argument("<composite>", "picture (PNG, JPEG, WebP) or folder")
    .argument("[mask]", "picture of the same size, white where the pasted region is; default: the composite's alpha")
    .option("--mask <path>", "a mask, once an object; after the one that is an argument", addMask, [])
    .requiredOption("-o, --output <path>", "picture to write (folder, for a folder)")
    .option("--weights <file>", ".safetensors, .pth or .pth.tar", DEFAULT_WEIGHTS())
    .option("--invert-mask", "black is the pasted region")
    .option("--strength <0..1>", "how much of the change to apply", numberBetween(0, 1), 1)
    .option(
      "--working-size <pixels>",
      "longest side at which the network runs",
      numberBetween(16, 65536, "integer"),
      DEFAULT_WORKING_SIZE,
    )
    .option("--feather <pixels>", "fade the change in from the mask's edge inwards", numberBetween(0, 10000), 0)
    .option("--reference <x,y,w,h>", "match this part of the background instead of all of it", parseRegion)
    .option("--compare <path>", "also write before, mask and after side by side (folder, for a folder)")
    .option("--max-pixels <n>", "refuse pictures with more pixels", numberBetween(1, 1e12), DEFAULT_MAX_PIXELS)
    .addHelpText("after", EXAMPLES);
  withDtypeOption(command).option(
    "--check-dtype",
    "with --dtype f16: also run in f32, and say how far the two are apart",
  );
  withDeviceOptions(withModelFlags(withCommonOptions(command)));
  return command.action(async (composite: string, mask: string | undefined, options: HarmonizeOptions) => {
    checkMatrixOption(options);
    const masks = mask === undefined ? options.mask : [mask, ...options.mask];
    const job: Job = { composite, masks, output: options.output, compare: options.compare };
    const isFolder = (await stat(composite).catch(() => null))?.isDirectory() ?? false;
    await (isFolder ? runFolder : runPair)(job, { ...options, note });
  });
}

type Setup = HarmonizeOptions & CommandContext;

/** Everything that can be wrong with the pictures is found before a device is opened. */
async function runPair(job: Job, options: Setup): Promise<void> {
  const pair = await readPair(job, options);
  const result = await withHarmonizer(options, async (tools) => ({
    adapter: tools.adapter,
    ...(await harmonizePair(pair, options, tools)),
  }));
  const { output, masks, width, height, workedAt, modelMs, totalMs, f16Error } = result;
  const objects = masks.length > 1 ? ` ${masks.length} objects,` : "";
  const network = `network at ${workedAt.width} x ${workedAt.height} in ${modelMs.toFixed(0)} ms`;
  const lines = [`${output}: ${width} x ${height},${objects} ${network}, ${totalMs.toFixed(0)} ms in all`];
  if (f16Error) lines.push(`  ${showDtypeError(f16Error)}`);
  printResult(options, result, lines);
}

async function runFolder(job: Job, options: Setup): Promise<void> {
  if (job.masks.length > 0) {
    throw new UsageError(`${job.composite} is a folder: its masks are the NAME_mask.png in it, give no mask`);
  }
  const found = await findPairs(job);
  const result = await withHarmonizer(options, async (tools) => ({
    adapter: tools.adapter,
    ...(await harmonizeFolder(job, found, options, { ...tools, note: options.note })),
  }));
  const { done, failed } = result;
  printResult(options, result, [`${job.output}: ${done.length} of ${done.length + failed.length} pictures harmonized`]);
  if (failed.length > 0) process.exitCode = 2;
}
