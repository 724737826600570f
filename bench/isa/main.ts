/** The command line of `npm run bench:isa`. */
import { mkdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError, Option } from "commander";
import { numberBetween } from "../../src/cli/app.js";
import { AbortedError, InputError, S2amError, UsageError } from "../../src/errors.js";
import { DTYPES, type DType } from "../../src/graph/tensor.js";
import { writeFileAtomic } from "../../src/io/file_write.node.js";
import { ARCHS, type Arch, DEFAULT_CONFIG } from "../../src/model/config.js";
import { DEFAULT_WEIGHTS, packageFile, packageVersion } from "../../src/package.node.js";
import { assertComparable, compareRecords, showComparison } from "./compare.js";
import { type CompiledFamily, compileFamilies } from "./compile.js";
import { DEFAULT_FAMILIES, FAMILIES, type Family, parseFamilies } from "./families.js";
import { showConstants } from "./figures.js";
import { markLoop } from "./listing.js";
import { pageOf } from "./page.js";
import { CARDS, familiesOf } from "./predict/cards.js";
import { predictNetwork, showPrediction } from "./predict/network.js";
import { readPredictions, serializePredictions, withPrediction } from "./predict/record.js";
import { familyRecord, type IsaRecord, parseRecord, serializeRecord } from "./record.js";
import { LEGEND, tableOf } from "./table.js";
import { checkWorkload, recordedWorkloads, type Workload, workloadName } from "./workload.js";

interface Options {
  readonly arch: Arch;
  readonly width: number;
  readonly levels?: number;
  readonly size?: number;
  readonly batch: number;
  readonly dtype: DType;
  readonly train?: boolean;
  readonly weights?: string | true;
  readonly matrixUnits?: boolean;
  readonly family: string;
  readonly all?: boolean;
  readonly json?: string | true;
  readonly compare?: string | true;
  readonly failOnWorse?: boolean;
  readonly asm?: string;
  readonly html?: string;
  readonly predict?: boolean;
}

const whole = (least: number, most: number) => numberBetween(least, most, "integer");

const EXAMPLES = `
Examples:
  npm run bench:isa                                              S2AD, 256 x 256, on three families of cards
  npm run bench:isa -- --family navi31 --dtype f16 --arch unet
  npm run bench:isa -- --weights                                 those in the box, at 512 x 512
  npm run bench:isa -- --train --width 16 --levels 7 --size 128 --batch 4
  npm run bench:isa -- --family navi31 --asm matmul_tiled        its listing, the hottest loop marked with |
  npm run bench:isa -- --compare --fail-on-worse                 against the file under bench/results/isa/
  npm run bench:isa -- --all --json --compare                    everything that is recorded there, anew
  npm run bench:isa -- --predict                                 milliseconds on named cards: a prediction, not measured

No card is used or needed: Mesa's compiler for AMD's cards (RADV, ACO) is opened on a card that is not there. It takes gcc,
libvulkan-dev, and Mesa from 25 on. Nothing runs and nothing is timed.`;

const program = new Command("npm run bench:isa --")
  .description("what a real GPU's compiler makes of every kernel: registers, spills, instructions of the hottest loop")
  .addOption(new Option("--arch <name>", "network").choices(ARCHS).default(DEFAULT_CONFIG.arch))
  .option("--width <channels>", "of the outermost level", whole(1, 4096), DEFAULT_CONFIG.width)
  .option("--levels <n>", "halvings (8)", whole(5, 16))
  .option("--size <pixels>", "side of the square pictures (256; with --weights 512)", whole(1, 16384))
  .option("--batch <n>", "pictures at once", whole(1, 4096), 1)
  .addOption(new Option("--dtype <type>", "how weights and activations are stored").choices(DTYPES).default("f32"))
  .option("--matrix-units", "with --dtype f16: on matrix units, where the family has them")
  .option("--train", "a training step instead of a run")
  .option("--weights [file]", "the network of these weights; without a file, of those in the box")
  .option("--family <list>", `of ${FAMILIES.map(({ name }) => name).join(",")}`, DEFAULT_FAMILIES)
  .option("--all", "every workload that is recorded under bench/results/isa/")
  .option("--json [file]", "write the figures; without a file, under bench/results/isa/")
  .option("--compare [file]", "against an earlier file; without one, that under bench/results/isa/")
  .option("--fail-on-worse", "with --compare: end with 1 where a figure is worse")
  .option("--asm <kernel>", "print the listings of the kernels whose name and constants contain this")
  .option("--html <file>", "the figures as a page")
  .option("--predict", "milliseconds on named cards, from listings and what is published of the cards: no measurement")
  .addHelpText("after", EXAMPLES)
  .exitOverride();

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

function workloadsOf(options: Options): Workload[] {
  const { arch, width, levels = DEFAULT_CONFIG.levels, batch, dtype, train = false, matrixUnits = false } = options;
  const inTheBox: Workload = {
    arch: "s2ad",
    width: 16,
    levels: DEFAULT_CONFIG.levels,
    size: options.size ?? 512,
    batch,
    dtype,
    train,
    matrixUnits,
    weights: DEFAULT_WEIGHTS(),
  };
  if (options.all) return recordedWorkloads(inTheBox);
  if (options.weights === undefined)
    return [{ arch, width, levels, size: options.size ?? 256, batch, dtype, train, matrixUnits, weights: null }];
  if (train) throw new UsageError("--train begins from weights of its own: leave out --weights");
  const given = (["arch", "width", "levels"] as const).find((name) => program.getOptionValueSource(name) === "cli");
  if (given) throw new UsageError(`--weights say their ${given} themselves: leave out --${given}`);
  return [{ ...inTheBox, ...(typeof options.weights === "string" && { weights: options.weights }) }];
}

function checkOptions(options: Options): void {
  const { all, json, compare, failOnWorse, asm, html, predict } = options;
  if (predict && (compare !== undefined || asm !== undefined || html !== undefined || typeof json === "string"))
    throw new UsageError("--predict goes with --json without a file, and without --compare, --asm and --html");
  if (predict && program.getOptionValueSource("family") === "cli")
    throw new UsageError(`--predict compiles for the families of its cards: leave out --family`);
  if (failOnWorse && compare === undefined) throw new UsageError("--fail-on-worse goes with --compare");
  if (!all) return;
  const shape = ["arch", "width", "levels", "size", "batch", "dtype", "train", "weights", "matrixUnits"];
  if (shape.some((name) => program.getOptionValueSource(name) === "cli"))
    throw new UsageError("--all compiles what is recorded: leave out the options of one network");
  if (typeof json === "string" || typeof compare === "string" || asm !== undefined || html !== undefined)
    throw new UsageError("--all goes with --json and --compare without a file, and without --asm and --html");
}

const recordFile = (workload: Workload): string =>
  packageFile("bench", "results", "isa", `${workloadName(workload)}.json`);

function readEarlier(file: string): IsaRecord {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new InputError(`${file}: cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause });
  }
  return parseRecord(text, file);
}

function recordOf(compiled: readonly CompiledFamily[], command: string): IsaRecord {
  const [first] = compiled;
  if (!first) throw new Error("bench:isa: no family was compiled");
  const { workload, driver } = first;
  // Where somebody's weights lie is nobody else's business: files go into repositories.
  const weights = workload.weights?.split("/").at(-1) ?? null;
  return {
    command,
    date: new Date().toISOString(),
    versions: { s2am: packageVersion(), node: process.version, driver },
    workload: { ...workload, weights },
    families: compiled.map(familyRecord),
  };
}

function printListings(compiled: readonly CompiledFamily[], wanted: string): void {
  let found = 0;
  for (const { family, kernels, outputs } of compiled) {
    for (const { id, shader, constants } of kernels) {
      const name = `${shader} ${showConstants(constants)}`;
      const output = outputs.find((one) => one.id === id);
      if (!name.includes(wanted) || !output) continue;
      found += 1;
      print(`\n${family.name} ${name}\n${markLoop(output.listing)}`);
    }
  }
  const names = new Set(compiled.flatMap(({ kernels }) => kernels.map(({ shader }) => shader)));
  if (found === 0)
    throw new UsageError(`--asm ${wanted}: no kernel's name contains it; there are ${[...names].join(", ")}`);
}

const compileFor = (workload: Workload, families: readonly Family[], signal: AbortSignal): Promise<CompiledFamily[]> =>
  compileFamilies({
    workload,
    families,
    child: fileURLToPath(new URL("child.mjs", import.meta.url)),
    standIn: packageFile("bench", "isa", "null_vulkan.c"),
    signal,
    onFamily: ({ name, card }) => say(`compiling ${workloadName(workload)} for ${name} (${card})`),
  });

/** @returns whether a figure was worse than before */
async function benchOne(workload: Workload, options: Options, signal: AbortSignal): Promise<boolean> {
  const families = parseFamilies(options.family);
  const names = families.map(({ name }) => name);
  const target = typeof options.json === "string" ? options.json : recordFile(workload);
  const oldFile = typeof options.compare === "string" ? options.compare : recordFile(workload);
  const old = options.compare === undefined ? null : readEarlier(oldFile);
  if (old && workload.weights === null) assertComparable(old, workload, names, oldFile);
  const compiled = await compileFor(workload, families, signal);
  if (options.asm !== undefined) {
    printListings(compiled, options.asm);
    return false;
  }
  const record = recordOf(compiled, commandOf(workload, options));
  if (old) assertComparable(old, record.workload, names, oldFile);
  print(`\n${workloadName(record.workload)}, ${record.versions.driver}`);
  for (const family of record.families) print(["", ...tableOf(family)].join("\n"));
  const comparison = old ? compareRecords(old, record, oldFile) : null;
  if (comparison) print(["", ...showComparison(comparison)].join("\n"));
  if (options.html !== undefined)
    await writeFileAtomic(options.html, new TextEncoder().encode(pageOf(record, comparison)));
  if (options.json !== undefined) {
    mkdirSync(dirname(target), { recursive: true });
    await writeFileAtomic(target, new TextEncoder().encode(serializeRecord(record)));
    say(`wrote ${target}`);
  }
  return comparison !== null && (comparison.worse.length > 0 || comparison.pairs === 0);
}

const PREDICTIONS = packageFile("bench", "results", "isa", "predictions.json");

async function predictOne(workload: Workload, options: Options, signal: AbortSignal): Promise<void> {
  const compiled = await compileFor(workload, parseFamilies(familiesOf(CARDS).join(",")), signal);
  const networks = CARDS.flatMap((card) =>
    compiled.filter(({ family }) => family.name === card.family).map((one) => predictNetwork(one, card)),
  );
  const { workload: found, versions, date } = recordOf(compiled, "");
  print(["", workloadName(found), ...showPrediction(found, networks)].join("\n"));
  if (options.json === undefined) return;
  const file = withPrediction(readPredictions(PREDICTIONS), found, networks, { date, versions });
  await writeFileAtomic(PREDICTIONS, new TextEncoder().encode(serializePredictions(file)));
  say(`wrote ${PREDICTIONS}`);
}

/** What compiles the same again. */
function commandOf(workload: Workload, { family }: Options): string {
  const { arch, width, levels, size, batch, dtype, train, matrixUnits, weights } = workload;
  const inTheBox = weights === DEFAULT_WEIGHTS();
  const network =
    weights === null
      ? `--arch ${arch} --width ${width} --levels ${levels}`
      : `--weights${inTheBox ? "" : ` ${weights.split("/").at(-1)}`}`;
  const flags = [train && " --train", matrixUnits && " --matrix-units"].filter(Boolean).join("");
  return `npm run bench:isa -- ${network} --size ${size} --batch ${batch} --dtype ${dtype}${flags} --family ${family}`;
}

async function main(argv: readonly string[]): Promise<number> {
  const options = program.parse([...argv], { from: "user" }).opts<Options>();
  checkOptions(options);
  const workloads = workloadsOf(options).map(checkWorkload);
  parseFamilies(options.family);
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => interrupted.abort(signal));
  let worse = false;
  try {
    for (const workload of workloads) {
      if (options.predict) await predictOne(workload, options, interrupted.signal);
      else worse = (await benchOne(workload, options, interrupted.signal)) || worse;
    }
  } catch (error) {
    if (!(error instanceof AbortedError)) throw error;
    say("bench:isa: interrupted");
    return 128 + constants.signals[interrupted.signal.reason as NodeJS.Signals];
  }
  if (options.asm === undefined && !options.predict) print(["", ...LEGEND].join("\n"));
  return worse && options.failOnWorse ? 1 : 0;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    say(`bench:isa: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(error instanceof S2amError ? 2 : 1);
  },
);
