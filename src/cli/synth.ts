/** `s2am synth`: makes composites to train on from photographs. */
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { openCompositePool } from "../data/synth/composite_pool.node.js";
import { contactSheet } from "../data/synth/contact_sheet.node.js";
import { makeComposites } from "../data/synth/make_composites.node.js";
import type { Entry } from "../data/synth/manifest.js";
import { type OpenedSources, openSources, type SourceOptions } from "../data/synth/open_sources.node.js";
import { headerOf, type Making, OutputFolder } from "../data/synth/output_folder.node.js";
import { SPLITS, STYLES } from "../data/synth/spec.js";
import { InputError } from "../errors.js";
import { writeFileAtomic } from "../io/file_write.node.js";
import {
  type CommandContext,
  type CommonOptions,
  numberBetween,
  onFirstSignal,
  printResult,
  withCommonOptions,
} from "./app.js";
import { progressBar } from "./progress.js";
import { maskKinds } from "./synth_options.js";
import { countsOf, summarize, summaryLines } from "./synth_summary.js";

interface SynthOptions extends CommonOptions, Omit<SourceOptions, "valShare"> {
  readonly out: string;
  readonly count?: number;
  readonly seed: number;
  readonly valShare: number;
  readonly workers?: number;
}

const EXAMPLES = `
Examples:
  s2am synth --photos photos --cutouts cutouts --count 10000 --out data
  s2am synth --coco-images train2017 --coco-annotations instances_train2017.json --part train --out coco
  s2am synth --coco-images val2017 --coco-annotations instances_val2017.json --part val --out coco
  s2am synth --pairs fivek --count 5000 --out pairs        fivek/expert_a/NAME.tif, fivek/expert_b/NAME.tif, ...
  s2am train --data data --epochs 20 --out run

DIR gets {train,val}2017/{image,mask,natural}/NAME as the authors lay S-COCO out, manifest.jsonl with a line a composite, and
contact_sheet.html to look at. Validation photographs are other ones than those trained on: the folders train and val below
--photos, --pairs or --coco-images decide, else the photographs' names. The same seed gives the same files, whatever the number
of workers. A run that was stopped goes on when the same is said again, and a larger --count adds to what is there.
Pictures are PNG: as JPEG, composite and photograph would differ by artefacts outside the mask too.
PHOTOS may be PNG, JPEG, WebP or TIFF, of 8 or 16 bits; their colour profiles are converted to sRGB.`;

export function synthCommand(context: CommandContext): Command {
  const share = numberBetween(0, 1);
  const command = new Command("synth")
    .description("make composites to train on from photographs")
    .option("--photos <dir>", "any photographs")
    .option("--coco-images <dir>", "COCO's photographs, with --coco-annotations")
    .option("--coco-annotations <json>", "their instances: polygons and both forms of runs; crowds are left out")
    .option("--pairs <dir>", "renditions of the same photographs: a folder each, with files of the same names")
    .option("--cutouts <dir>", "pictures with an alpha channel, whose silhouettes become masks")
    .option(
      "--masks <kinds>",
      "of cutouts, regions (of like colour in the photograph) and shapes; default: all",
      maskKinds,
    )
    .requiredOption("--out <dir>", "folder to make, or to go on in")
    .option(
      "--count <n>",
      "composites in all; default: one for each COCO object, else 1000",
      numberBetween(1, 1e8, "integer"),
    )
    .option("--size <pixels>", "side of the square pictures", numberBetween(16, 4096, "integer"), 256)
    .addOption(
      new Option(
        "--style <name>",
        "adjustments as for S-COCO, colours of other photographs as for HCOCO, or either; varied: both and more, also faint",
      )
        .choices(STYLES)
        .default("mixed"),
    )
    .option("--seed <n>", "of everything that is random", numberBetween(0, Number.MAX_SAFE_INTEGER, "integer"), 0)
    .option(
      "--val-share <0..1>",
      "share of the composites, and of photographs in no folder train or val, for validation",
      share,
      0.1,
    )
    .addOption(new Option("--part <name>", "all are for this part").choices(SPLITS))
    .option("--least-share <0..1>", "of the picture that a mask covers; default: 0.02, for COCO 0.15", share)
    .option("--most-share <0..1>", "default: 0.6, for COCO 0.95", share)
    .option("--crop", "random crops and flips of COCO's photographs too (default: whole, squeezed)")
    .option(
      "--workers <n>",
      "threads; 0 works in this one (default: one fewer than the processor runs, at most 8)",
      numberBetween(0, 64, "integer"),
    )
    .addHelpText("after", EXAMPLES);
  return withCommonOptions(command).action((options: SynthOptions) => synth(options, context));
}

async function synth(options: SynthOptions, { note }: CommandContext): Promise<void> {
  const started = performance.now();
  const sources = await openSources(options);
  for (const complaint of sources.complaints.slice(0, 5)) note(`left out: ${complaint}`);
  const { subjects } = sources.spec;
  const count = options.count ?? (options.cocoImages === undefined ? 1000 : subjects.length);
  const making: Making = {
    spec: sources.spec,
    seed: options.seed,
    valShare: options.part === undefined ? options.valShare : Number(options.part === "val"),
    part: options.part ?? null,
    roots: rootsOf(options),
  };
  const { folder, entries } = await OutputFolder.open(options.out, headerOf(making));
  if (entries.length > 0) note(`${options.out}: going on after ${entries.length} composites`);
  const { made, interrupted, threads } = await make(options, making, folder, entries, count);
  await finish(options, making, sources, made, {
    already: entries.length,
    asked: count,
    threads,
    interrupted,
    seconds: (performance.now() - started) / 1000,
  });
}

/** Longest first, so that a folder inside another is cut off whole. */
const rootsOf = ({ photos, cocoImages, pairs, cutouts }: SynthOptions): string[] =>
  [photos, cocoImages, pairs, cutouts]
    .filter((path) => path !== undefined)
    .map((path) => join(path, "/"))
    .sort((a, b) => b.length - a.length);

async function make(
  options: SynthOptions,
  making: Making,
  folder: OutputFolder,
  entries: readonly Entry[],
  count: number,
): Promise<{ made: readonly Entry[]; interrupted: boolean; threads: number }> {
  const pool = openCompositePool({
    ...making,
    out: options.out,
    ...(options.workers !== undefined && { threads: options.workers }),
  });
  const interruption = new AbortController();
  const release = onFirstSignal(() => interruption.abort());
  const bar = progressBar(options.json);
  try {
    const made = await makeComposites({
      ...making,
      count,
      folder,
      entries,
      pool,
      onProgress: (done) => bar.onProgress({ stage: "composites", done, total: count }),
      signal: interruption.signal,
    });
    return { made, interrupted: made.length < count, threads: pool.threads };
  } catch (error) {
    if (!(error instanceof InputError) || !/cannot be written/.test(error.message)) throw error;
    const cure = "what is written is whole: make room and say the same again to go on";
    throw new InputError(`${error.message}; ${cure}`, { cause: error });
  } finally {
    bar.stop();
    release();
    await pool.close();
    await folder.close();
  }
}

interface Course {
  readonly asked: number;
  readonly already: number;
  readonly threads: number;
  readonly interrupted: boolean;
  readonly seconds: number;
}

async function finish(
  options: SynthOptions,
  making: Making,
  sources: OpenedSources,
  entries: readonly Entry[],
  course: Course,
): Promise<void> {
  const { out, part } = options;
  const suffix = part === undefined ? "" : `.${part}`;
  const counts = countsOf(entries);
  let sheet: string | null = null;
  if (!course.interrupted) {
    sheet = join(out, `contact_sheet${suffix}.html`);
    const html = await contactSheet(out, headerOf(making), entries, { ...counts });
    await writeFileAtomic(sheet, new TextEncoder().encode(html));
  }
  const summary = summarize(entries, sources, course);
  const result = {
    out: resolve(out),
    outcome: course.interrupted ? "interrupted" : "done",
    ...summary,
    ...counts,
    manifest: join(out, `manifest${suffix}.jsonl`),
    contactSheet: sheet,
  };
  printResult(options, result, summaryLines(result));
  if (course.interrupted) process.exitCode = 130;
}
