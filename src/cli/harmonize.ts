/** `s2am harmonize`: one composite, or a folder of them. */
import { stat } from "node:fs/promises";
import { Command, InvalidArgumentError, Option } from "commander";
import { UsageError } from "../errors.js";
import type { DType } from "../graph/tensor.js";
import { checkSequence, DEFAULT_CUT_THRESHOLD } from "../harmonizer/sequence.js";
import { DEFAULT_WORKING_SIZE, type Region } from "../harmonizer.js";
import { DEFAULT_MAX_PIXELS } from "../image/codec.node.js";
import { DEFAULT_FIT, FITS, type Fit } from "../image/fit.js";
import { showDtypeError } from "../model/dtype_error.js";
import type { ModelOptions } from "../model/weights.js";
import { DEFAULT_WEIGHTS } from "../package.node.js";
import { type CommandContext, type CommonOptions, numberBetween, printResult, withCommonOptions } from "./app.js";
import { eachPair, type FolderReport, findPairs } from "./harmonize_folder.js";
import { checkLutOptions, lutPair, readLuts } from "./harmonize_lut.js";
import { harmonizePair, type Job, type PairOptions, readPair } from "./harmonize_pair.js";
import { harmonizeSequence } from "./harmonize_sequence.js";
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
  readonly fit: Fit;
  readonly lut?: string;
  readonly applyLut: readonly string[];
  readonly sequence?: boolean;
  readonly smooth?: number;
  readonly cutThreshold: number;
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
  s2am harmonize composite.jpg mask.png -o out.png --lut object.cube
  s2am harmonize photo.jpg mask.png -o out.png --apply-lut object.cube
  s2am harmonize frames/ -o harmonized/ --sequence --smooth 9

Several masks: each object gets a correction of its own, in the order given, against the picture as harmonized so far; those
still to come do not count as background. Later ones lie on top: a pixel that two masks claim is the later one's. In a folder
they are NAME_mask_1.png, NAME_mask_2.png, ...

--reference x,y,width,height, in pixels of the picture: the object is matched to that part of the background instead of all
of it. Take a large one, of what the object is to look like: a small patch of one colour pulls the object to that colour. In a
folder it holds for every picture.

--fit: what is made of the network's answer. global: one affine transform of the object's colours, fitted to it. auto: the
same, and less of it where the change is small or uncertain. local: one that varies slowly over the object, for networks that
see light vary. none: the answer as it is, with its errors.

--lut writes the change as a 3D LUT of 33 points, for ffmpeg's lut3d, GIMP, Photoshop, Resolve and others; of several objects
NAME_1.cube, NAME_2.cube, ... For a folder it names a folder. --apply-lut takes any .cube file and gives the masked object
that change at full size; once for all objects, or once an object.

--sequence: the folder holds frames, in the order of their names (frame2 before frame10), each with its masks. One transform
an object is solved for each shot, so that nothing flickers; with --smooth N one a frame, averaged over N frames. A new shot
begins where thumbnails of two frames differ on average by more than --cut-threshold.`;

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
    .addOption(new Option("--fit <how>", "what is made of the network's answer").choices(FITS).default(DEFAULT_FIT))
    .option(
      "--working-size <pixels>",
      "longest side at which the network runs",
      numberBetween(16, 65536, "integer"),
      DEFAULT_WORKING_SIZE,
    )
    .option("--feather <pixels>", "fade the change in from the mask's edge inwards", numberBetween(0, 10000), 0)
    .option("--reference <x,y,w,h>", "match this part of the background instead of all of it", parseRegion)
    .option("--compare <path>", "also write before, mask and after side by side (folder, for a folder)")
    .option("--lut <path>", "also write the object's change of colour as a .cube file (folder, for a folder)")
    .option("--apply-lut <path>", "give the object the change of this .cube file; no network runs", addMask, [])
    .option("--sequence", "the folder's pictures are frames: one change of colour a shot")
    .option(
      "--smooth <frames>",
      "with --sequence: one a frame, averaged over so many",
      numberBetween(1, 1e6, "integer"),
    )
    .option(
      "--cut-threshold <0..1>",
      "with --sequence: a larger difference is a cut",
      numberBetween(0.001, 1),
      DEFAULT_CUT_THRESHOLD,
    )
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
    const { output, compare, lut, sequence = false, smooth } = options;
    const job: Job = { composite, masks, output, compare, lut };
    const isFolder = (await stat(composite).catch(() => null))?.isDirectory() ?? false;
    if (sequence && !isFolder) throw new UsageError(`--sequence takes a folder of frames; ${composite} is none`);
    if (!sequence && (smooth !== undefined || command.getOptionValueSource("cutThreshold") === "cli"))
      throw new UsageError("--smooth and --cut-threshold have a meaning with --sequence alone");
    if (options.applyLut.length > 0) checkLutOptions(options, command.getOptionValueSource("fit") !== "cli");
    if (sequence) checkSequence(options);
    await (isFolder ? runFolder : runPair)(job, { ...options, note });
  });
}

type Setup = HarmonizeOptions & CommandContext;

/** Everything that can be wrong with the pictures is found before a device is opened. */
async function runPair(job: Job, options: Setup): Promise<void> {
  if (options.applyLut.length > 0) {
    const luts = await readLuts(options.applyLut);
    const result = await lutPair(await readPair(job, options), luts, options.applyLut, options);
    const { output, width, height, totalMs } = result;
    const tables = options.applyLut.join(", ");
    printResult(options, result, [`${output}: ${width} x ${height}, by ${tables}, ${totalMs.toFixed(0)} ms in all`]);
    return;
  }
  const pair = await readPair(job, options);
  const result = await withHarmonizer(options, async (tools) => ({
    adapter: tools.adapter,
    ...(await harmonizePair(pair, options, { ...tools, note: options.note })),
  }));
  const { output, masks, width, height, workedAt, modelMs, totalMs, f16Error, transforms, luts } = result;
  const objects = masks.length > 1 ? ` ${masks.length} objects,` : "";
  const network = `network at ${workedAt.width} x ${workedAt.height} in ${modelMs.toFixed(0)} ms`;
  const lines = [`${output}: ${width} x ${height},${objects} ${network}, ${totalMs.toFixed(0)} ms in all`];
  for (const [index, { words }] of transforms.entries()) {
    const which = transforms.length > 1 ? `object ${index + 1}: ` : "";
    lines.push(`  ${which}${words.text}${luts ? `; ${luts[index]}` : ""}`);
  }
  if (f16Error) lines.push(`  ${showDtypeError(f16Error)}`);
  printResult(options, result, lines);
}

async function runFolder(job: Job, options: Setup): Promise<void> {
  if (job.masks.length > 0) {
    throw new UsageError(`${job.composite} is a folder: its masks are the NAME_mask.png in it, give no mask`);
  }
  const { applyLut, note } = options;
  if (applyLut.length > 0) {
    const luts = await readLuts(applyLut);
    const found = await findPairs(job);
    const result = await eachPair(job, found, options, note, (pair) => lutPair(pair, luts, applyLut, options));
    return tellFolder(job, options, result);
  }
  const found = await findPairs(job);
  const result = await withHarmonizer(options, async ({ adapter, ...rest }) => {
    const tools = { ...rest, note };
    if (options.sequence) return { adapter, ...(await harmonizeSequence(job, found, options, tools)) };
    return {
      adapter,
      ...(await eachPair(job, found, options, note, (pair) => harmonizePair(pair, options, tools))),
    };
  });
  tellFolder(job, options, result);
}

function tellFolder(job: Job, options: Setup, result: FolderReport<unknown> & { shots?: readonly unknown[] }): void {
  const { done, failed, shots } = result;
  const inShots = shots ? `, in ${shots.length} ${shots.length === 1 ? "shot" : "shots"}` : "";
  printResult(options, result, [
    `${job.output}: ${done.length} of ${done.length + failed.length} pictures harmonized${inShots}`,
  ]);
  if (failed.length > 0) process.exitCode = 2;
}
