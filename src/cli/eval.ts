/** `s2am eval`: how near a network brings composites to their photographs, by the field's protocols. */
import { resolve } from "node:path";
import { Command, Option } from "commander";
import type { Sample } from "../data/augment.js";
import type { Dataset, Entry } from "../data/dataset.js";
import { openDataset } from "../data/open_dataset.node.js";
import { Prefetch } from "../data/prefetch.js";
import { SamplePool } from "../data/sample_pool.node.js";
import { checkEntries } from "../data/triple.node.js";
import { InputError, UsageError } from "../errors.js";
import type { DType } from "../graph/tensor.js";
import { encodeImage, formatOfPath } from "../image/codec.node.js";
import { DEFAULT_FIT, FITS, type Fit } from "../image/fit.js";
import { fromFloat } from "../image/float.js";
import type { Image } from "../image/image.js";
import {
  foregroundShare,
  measure,
  PROTOCOL_SIZE,
  PROTOCOLS,
  type Protocol,
  type ProtocolName,
  protocolOf,
} from "../image/protocols.js";
import { compareStrip, maskToImage, stackStrips } from "../image/strip.js";
import { assertWritable, sameFile, writeFileAtomic } from "../io/file_write.node.js";
import type { ModelOptions } from "../model/weights.js";
import { DEFAULT_WEIGHTS } from "../package.node.js";
import { type CommandContext, type CommonOptions, numberBetween, printResult, withCommonOptions } from "./app.js";
import { changeOf, readChanges } from "./eval_changes.js";
import { wholeOutput } from "./eval_output.js";
import { csvOf, type Measured, summarize, summaryLines } from "./eval_summary.js";
import {
  checkMatrixOption,
  type KernelKind,
  withDeviceOptions,
  withDtypeOption,
  withModelFlags,
} from "./model_options.js";
import { progressBar } from "./progress.js";
import { type HarmonizerTools, withHarmonizer } from "./session.js";

const PARTS = ["val", "train", "all"] as const;
type Part = (typeof PARTS)[number];

interface EvalOptions extends CommonOptions, ModelOptions {
  readonly data: string;
  readonly weights: string;
  readonly protocol: ProtocolName;
  readonly part?: Part;
  readonly limit?: number;
  readonly size: number;
  readonly fit: Fit;
  readonly paste: boolean;
  readonly csv?: string;
  readonly worst?: string;
  readonly adapter?: string;
  readonly tuning?: string | boolean;
  readonly unsafeFast?: boolean;
  readonly kernelsFor?: KernelKind;
  readonly dtype: DType;
  readonly matrixUnits?: boolean;
}

const EXAMPLES = `
Examples:
  s2am eval --data photos
  s2am eval --data iHarmony4 --weights run/best.safetensors --protocol iharmony4 --csv results.csv
  s2am eval --data photos --limit 100 --worst worst.png --json
  s2am eval --data photos --weights run/last.safetensors --size 128 --no-paste

DIR holds x.jpg, x_mask.png and x_real.jpg side by side, S-COCO's {train,val}2017/{image,mask,natural}, or iHarmony4.
Protocols (the figures of one cannot be compared with another's):
${PROTOCOLS.map((name) => `  ${name.padEnd(10)} ${protocolOf(name).description}`).join("\n")}
What is measured is what "s2am harmonize" writes: under the mask the change of colour that --fit makes of the network's output
(default: auto), the composite elsewhere. --fit none measures the network's own output under the mask, and --no-paste its
output everywhere, as the paper's tables have it.`;

export function evalCommand({ note }: CommandContext): Command {
  const command = new Command("eval")
    .description("measure a network on composites whose photographs are known")
    .requiredOption("--data <dir>", "pictures to measure on")
    .option("--weights <file>", ".safetensors, .pth or .pth.tar", DEFAULT_WEIGHTS())
    .addOption(new Option("--protocol <name>", "how to measure").choices(PROTOCOLS).default("default"))
    .addOption(
      new Option("--part <name>", "of the pictures; default: val where DIR names such a part, else all").choices(PARTS),
    )
    .option(
      "--size <pixels>",
      "side of the squares compared, at which the network runs; the protocols' own is 256",
      numberBetween(16, 4096, "integer"),
      PROTOCOL_SIZE,
    )
    .addOption(
      new Option("--fit <how>", "what is made of the network's output, as in s2am harmonize")
        .choices(FITS)
        .default(DEFAULT_FIT),
    )
    .option("--no-paste", "measure the network's whole output: the composite is not put back outside the mask")
    .option("--limit <n>", "measure on so many pictures, evenly spread", numberBetween(1, 1e9, "integer"))
    .option("--csv <file>", "also write a table with a row a picture")
    .option("--worst <strip>", "also write the pictures of lowest PSNR: composite, mask, harmonized, photograph")
    .addHelpText("after", EXAMPLES);
  withDeviceOptions(withDtypeOption(withModelFlags(withCommonOptions(command))));
  return command.action((options: EvalOptions) => {
    if (!options.paste && command.getOptionValueSource("fit") === "cli")
      throw new UsageError("--no-paste measures the network's output as it is: leave --fit out");
    return run({ ...options, note });
  });
}

async function run(options: EvalOptions & CommandContext): Promise<void> {
  checkMatrixOption(options);
  const { data, weights, csv, worst } = options;
  await checkOutputs([csv, worst], weights);
  if (worst !== undefined) formatOfPath(worst);
  const dataset = await openDataset(data);
  const part = options.part ?? (dataset.valFrom === "layout" ? "val" : "all");
  const entries = spread(entriesOf(dataset, part), options.limit);
  if (entries.length === 0) throw new InputError(`${data}: has no pictures of the part ${part}`);
  assertNoInput([csv, worst], entries);
  const bar = progressBar(options.json);
  await checkEntries(entries, { onProgress: (progress) => bar.onProgress({ stage: "headers", ...progress }) });
  bar.stop();

  const evaluation = await withHarmonizer(options, async (tools) => ({
    adapter: tools.adapter,
    ...(await evaluate(entries, options, tools)),
  }));
  const { adapter, failed, worstCases } = evaluation;
  const changes = await readChanges(data);
  const measured = evaluation.measured.map((one) => ({ ...one, change: changeOf(changes, one.name) }));
  if (measured.length === 0) throw new InputError(`${data}: nothing could be measured: ${failed[0]?.error}`);
  if (csv !== undefined) await writeFileAtomic(csv, new TextEncoder().encode(csvOf(measured)));
  if (worst !== undefined) {
    const strip = stackStrips(worstCases.map((one) => one.strip));
    await writeFileAtomic(worst, await encodeImage(strip, formatOfPath(worst)));
  }
  const summary = summarize(measured);
  const { protocol, size, paste, fit } = options;
  const { description } = protocolOf(protocol, size);
  const measures = `protocol ${protocol}: ${description}${paste ? `; fit ${fit}` : "; the network's whole output, nothing pasted back"}`;
  const result = {
    adapter,
    dtype: options.dtype,
    data,
    layout: dataset.layout,
    part,
    protocol,
    size,
    pasted: paste,
    fit: paste ? fit : null,
    description,
    ...summary,
    failed,
    csv: csv ?? null,
    worst: worst === undefined ? null : worstCases.map(({ name, psnr }) => ({ name, psnr })),
  };
  printResult(options, result, [
    `${data} (${dataset.layout}, ${part}): ${measured.length} of ${entries.length} pictures`,
    measures,
    ...summaryLines(summary),
    ...(worst === undefined ? [] : [`${worst}: ${worstCases.map(({ name }) => name).join(", ")}`]),
  ]);
  if (failed.length > 0) process.exitCode = 2;
}

const entriesOf = ({ entries, train, val }: Dataset, part: Part): readonly Entry[] =>
  ({ all: entries, train, val })[part];

/** `limit` of them at equal distances: lists are sorted, and their beginnings no fair sample. */
function spread(entries: readonly Entry[], limit = entries.length): readonly Entry[] {
  if (limit >= entries.length) return entries;
  return Array.from({ length: limit }, (_, i) => entries[Math.floor((i * entries.length) / limit)] as Entry);
}

async function checkOutputs(outputs: readonly (string | undefined)[], weights: string): Promise<void> {
  const given = outputs.filter((path) => path !== undefined);
  for (const path of given) {
    await assertWritable(path);
    if (await sameFile(path, weights)) throw new UsageError(`${path}: the output must not be an input`);
  }
  const [first, second] = given;
  if (first !== undefined && second !== undefined && (await sameFile(first, second))) {
    throw new UsageError(`${second}: --csv and --worst must not name the same file`);
  }
}

function assertNoInput(outputs: readonly (string | undefined)[], entries: readonly Entry[]): void {
  const inputs = new Set(
    entries.flatMap(({ composite, mask, target }) => [composite, mask, target].map((path) => resolve(path))),
  );
  for (const path of outputs) {
    if (path !== undefined && inputs.has(resolve(path)))
      throw new UsageError(`${path}: the output must not be an input`);
  }
}

interface Case {
  readonly name: string;
  readonly psnr: number;
  readonly strip: Image;
}

interface Evaluation {
  readonly measured: readonly Measured[];
  readonly failed: readonly { readonly name: string; readonly error: string }[];
  readonly worstCases: readonly Case[];
}

const WORST_CASES = 8;

/** A picture that cannot be read is named and the rest go on; what would fail for all of them is thrown. */
async function evaluate(
  entries: readonly Entry[],
  { protocol: name, size, paste, fit, worst, note }: EvalOptions & CommandContext,
  tools: HarmonizerTools,
): Promise<Evaluation> {
  const protocol = protocolOf(name, size);
  const pool = new SamplePool({ cacheBytes: 0 });
  const samples = new Prefetch(entries.length, pool.threads + 1, (index) =>
    pool.read(index, entries[index] as Entry, { kind: "protocol", protocol: name, size }),
  );
  const measured: Measured[] = [];
  const failed: { name: string; error: string }[] = [];
  let worstCases: Case[] = [];
  try {
    for (const [index, entry] of entries.entries()) {
      tools.onProgress({ stage: "pictures", done: index, total: entries.length });
      try {
        const { strip, ...one } = await measureSample(await samples.get(index), { protocol, size, paste, fit }, tools);
        measured.push(one);
        if (worst === undefined) continue;
        worstCases.push({ name: one.name, psnr: one.after.psnr, strip: strip() });
        worstCases = worstCases.sort((a, b) => a.psnr - b.psnr).slice(0, WORST_CASES);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        failed.push({ name: entry.name, error: error.message });
        note(`${entry.name}: left out: ${error.message}`);
      }
    }
    tools.onProgress({ stage: "pictures", done: entries.length, total: entries.length });
  } finally {
    await pool.close();
  }
  return { measured, failed, worstCases };
}

async function measureSample(
  sample: Sample,
  { protocol, size, paste, fit }: { protocol: Protocol; size: number; paste: boolean; fit: Fit },
  { harmonizer, onProgress }: HarmonizerTools,
): Promise<Measured & { strip: () => Image }> {
  const { name, mask } = sample;
  const [composite, target] = [fromFloat(sample.composite), fromFloat(sample.target)];
  const names = { image: name, mask: `the mask of ${name}` };
  const image = paste
    ? (await harmonizer.harmonize({ image: composite, mask }, { workingSize: size, fit, names, onProgress })).image
    : await wholeOutput(harmonizer.network, composite, mask, { names, onProgress });
  return {
    name,
    share: foregroundShare(mask),
    before: measure(protocol, composite, target, mask),
    after: measure(protocol, image, target, mask),
    strip: () => compareStrip([composite, maskToImage(mask), image, target]),
  };
}
