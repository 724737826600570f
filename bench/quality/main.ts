/**
 * `npm run bench:quality`: the paper's Table 1 and Table 4 in miniature. Every network is trained on the same budget, from
 * several seeds, by `s2am train`, and measured by `s2am eval`; what was stopped goes on, what is complete is not repeated.
 */
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join, resolve } from "node:path";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { numberBetween } from "../../src/cli/app.js";
import { AbortedError, S2amError, UsageError } from "../../src/errors.js";
import { writeFileAtomic } from "../../src/io/file_write.node.js";
import { ARCHS, type Arch } from "../../src/model/config.js";
import { packageFile, packageVersion } from "../../src/package.node.js";
import { LOSSES } from "../../src/train/losses.js";
import { chartOf, MOST_SERIES } from "./chart.js";
import { CommandLine } from "./child.js";
import { type RunRecord, runName } from "./record.js";
import { isWhole, markdownOf, reportOf } from "./report.js";
import { CommandError, Comparison, claim, readRecords, sha256, writeJson } from "./runs.js";
import { type Budget, checkBudget, DEFAULT_BUDGET, QUICK_BUDGET } from "./settings.js";
import { parseAblations, parseArchs, type Variant, wholeNetwork } from "./variants.js";

interface Options extends Partial<Omit<Budget, "evalCount">> {
  readonly data?: string;
  readonly out: string;
  readonly seeds: readonly number[];
  readonly ablationSeeds?: readonly number[];
  readonly archs: string;
  readonly ablations?: string;
  readonly ablationArch: Arch;
  readonly limit?: number;
  readonly adapter?: string;
  readonly quick?: boolean;
  readonly onlyReport?: boolean;
}

const whole = (least: number, most: number) => numberBetween(least, most, "integer");

function seedsOf(text: string): number[] {
  const seeds = text.split(",").map((one) => (one.trim() === "" ? Number.NaN : Number(one)));
  if (seeds.some((seed) => !Number.isSafeInteger(seed) || seed < 0) || new Set(seeds).size < seeds.length) {
    throw new InvalidArgumentError("expected different whole numbers from 0, separated by commas.");
  }
  return seeds;
}

const EXAMPLES = `
Examples:
  npm run bench:quality -- --data photos --out quality
  npm run bench:quality -- --data photos --out quality --seeds 0 --ablations none --steps 20000
  npm run bench:quality -- --data photos --out try --quick       minutes: to see that everything works
  npm run bench:quality -- --out quality --only-report

OUT holds runs/ as s2am train leaves them, measured/ (JSON and a CSV row a picture), results.json, report.md, curves.svg,
ablations.svg and commands.log. Ctrl-C finishes the step and saves; the same command goes on.`;

const program = new Command("npm run bench:quality --")
  .description("train the paper's networks and its ablations on equal budgets, and compare what they come to")
  .option("--data <dir>", "pictures, as of s2am train; its validation part is what is measured on")
  .requiredOption("--out <dir>", "folder of the comparison")
  .option("--seeds <list>", "each network is trained from each of them", seedsOf, [0, 1, 2])
  .option("--archs <list>", `of ${ARCHS.join(",")}`, ARCHS.join(","))
  .option(
    "--ablations <list>",
    "parts of S2AM left out, several at once as gates+mixed, or levels=N, or none (default: gates,mixed,blur,learned)",
  )
  .addOption(
    new Option("--ablation-arch <name>", "that they are left out of").choices(["s2asc", "s2ad"]).default("s2ad"),
  )
  .option("--ablation-seeds <list>", "of the ablations, where not those of --seeds", seedsOf)
  .option("--size <pixels>", "side of the square pictures trained on (128)", whole(32, 1024))
  .option("--width <channels>", "of the outermost level (16)", whole(8, 256))
  .option("--levels <n>", "halvings (7)", whole(5, 10))
  .option("--steps <n>", "of each run (4500)", whole(1, 1e9))
  .option("--batch <images>", "of each step (4)", whole(1, 256))
  .addOption(new Option("--loss <name>", "pixel loss (fn_mse)").choices(LOSSES))
  .option("--lr <rate>", "learning rate, which falls along a cosine (0.001)", numberBetween(1e-9, 10))
  .option("--ema <0..1>", "average of the weights, which is what is measured (0.998)", numberBetween(0, 0.999999))
  .option("--val-every <epochs>", "of the curves (1)", whole(1, 1e6))
  .option("--val-count <n>", "pictures of the curves (100)", whole(1, 1e6))
  .option("--eval-size <pixels>", "side of the squares measured at the end (that of --size)", whole(16, 4096))
  .option("--limit <n>", "measure on so many pictures (all of the validation part)", whole(1, 1e9))
  .option("--adapter <name>", "as of s2am (also S2AM_ADAPTER)")
  .option("--quick", "6 steps of 64 x 64, two seeds, one ablation: to see that everything works")
  .option("--only-report", "train nothing: write the report of what is complete")
  .addHelpText("after", EXAMPLES)
  .exitOverride();

const say = (text: string): void => void process.stderr.write(`${text}\n`);

function budgetOf(options: Options): Budget {
  const defaults = options.quick ? QUICK_BUDGET : DEFAULT_BUDGET;
  const said = Object.entries(options).filter(([key]) => key in defaults);
  const budget = { ...defaults, ...Object.fromEntries(said) } as Omit<Budget, "evalSize">;
  return { ...budget, evalSize: options.evalSize ?? budget.size, evalCount: options.limit ?? budget.evalCount };
}

interface Task {
  readonly variant: Variant;
  readonly seed: number;
}

/** Whole networks first, seed by seed, so that what is there at any time can be compared. */
function tasksOf(options: Options): Task[] {
  const quick = options.quick ?? false;
  const isDefault = program.getOptionValueSource("seeds") === "default";
  const seeds = quick && isDefault ? [0, 1] : options.seeds;
  const archs = parseArchs(options.archs);
  const ablations = parseAblations(
    options.ablations ?? (quick ? "gates" : "gates,mixed,blur,learned"),
    options.ablationArch,
  );
  const bases =
    ablations.length > 0 && !archs.includes(options.ablationArch) ? [...archs, options.ablationArch] : archs;
  const each = (variants: readonly Variant[], of: readonly number[]): Task[] =>
    of.flatMap((seed) => variants.map((variant) => ({ variant, seed })));
  const variants = bases.map(wholeNetwork);
  return [...each(variants, seeds), ...each(ablations, options.ablationSeeds ?? seeds)];
}

async function main(argv: readonly string[]): Promise<number> {
  const options = program.parse([...argv], { from: "user" }).opts<Options>();
  const folder = resolve(options.out);
  const command = `npm run bench:quality -- ${withoutPaths(argv).join(" ")}`;
  if (options.onlyReport) {
    await writeReport(folder, await readRecords(folder), [], command);
    return 0;
  }
  const tasks = tasksOf(options);
  const variants = [...new Map(tasks.map(({ variant }) => [variant.name, variant])).values()];
  if (variants.length > 2 * MOST_SERIES) throw new UsageError(`--ablations: at most ${2 * MOST_SERIES} networks`);
  const budget = budgetOf(options);
  checkBudget(budget, variants);
  if (options.data === undefined) throw new UsageError("give the pictures to train and measure on: --data DIR");
  await Comparison.prepare(folder, budget);
  return train(options, { folder, tasks, budget, data: resolve(options.data), command });
}

/** Where somebody's folders lie is nobody else's business: reports go into repositories. */
const withoutPaths = (argv: readonly string[]): string[] =>
  argv.map((arg, i) => {
    const option = argv[i - 1] ?? "";
    if (["--data", "--out"].includes(option)) return option === "--data" ? "DIR" : "OUT";
    return arg.replace(/^--data=.*/, "--data=DIR").replace(/^--out=.*/, "--out=OUT");
  });

interface Plan {
  readonly folder: string;
  readonly tasks: readonly Task[];
  readonly budget: Budget;
  readonly data: string;
  readonly command: string;
}

/** @returns the exit code */
async function train(options: Options, { folder, tasks, budget, data, command }: Plan): Promise<number> {
  const script = packageFile("dist", "cli.js");
  if (!existsSync(script)) throw new UsageError("dist/cli.js is missing: start this with npm run bench:quality");
  mkdirSync(folder, { recursive: true });
  const { alsoFor, release } = await claim(folder, process.pid, isAlive);
  const children = new CommandLine({ script, log: join(folder, "commands.log"), onStart: alsoFor });
  let stopped: NodeJS.Signals | null = null;
  onSignals((signal, again) => {
    const hint = again ? "ending at once" : "the run under way finishes its step and saves; again to end at once";
    say(`interrupted: ${hint}`);
    stopped = signal;
    children.signal(signal);
  });
  const comparison = new Comparison({
    folder,
    budget,
    data,
    adapter: options.adapter,
    build: sha256(readFileSync(script)),
    command: (args, onEvent) => children.run(args, onEvent),
    say,
  });
  let [done, failures] = [0, 0];
  try {
    for (const [index, { variant, seed }] of tasks.entries()) {
      if (stopped !== null) break;
      const name = runName(variant, seed);
      const known = (await comparison.record(variant, seed)) !== null;
      say(`${index + 1} of ${tasks.length}: ${name}${known ? ", complete" : ""}`);
      try {
        await comparison.complete(variant, seed);
        done += 1;
      } catch (error) {
        if (stopped !== null || error instanceof AbortedError) break;
        if (!(error instanceof CommandError)) throw error;
        failures += 1;
        say(`${name}: ${error.message}`);
      }
    }
  } finally {
    await release();
  }
  const names = tasks.map(({ variant, seed }) => runName(variant, seed));
  if (done > 0) await writeReport(folder, await readRecords(folder), names, command);
  if (stopped !== null) {
    say(`stopped: the same command goes on (${done} of ${tasks.length} runs are complete)`);
    return 128 + constants.signals[stopped as NodeJS.Signals];
  }
  return failures > 0 ? 1 : 0;
}

/** A terminal's Ctrl-C may come twice, from the terminal and from npm; within this many milliseconds it is one. */
const SAME_SIGNAL_MS = 1000;

function onSignals(callback: (signal: NodeJS.Signals, again: boolean) => void): void {
  let last = Number.NEGATIVE_INFINITY;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      const now = performance.now();
      if (now - last < SAME_SIGNAL_MS) return;
      callback(signal, last > 0);
      last = now;
    });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function writeReport(
  folder: string,
  records: readonly RunRecord[],
  expected: readonly string[],
  command: string,
): Promise<void> {
  const report = reportOf(records, expected);
  const [first] = records;
  const about = {
    command,
    adapter: first?.adapter ?? "",
    versions: `s2am ${packageVersion()}, node ${process.version}, ${process.platform} ${process.arch}`,
    date: new Date().toISOString(),
  };
  const markdown = markdownOf(report, records, about);
  const text = (name: string, value: string): Promise<void> =>
    writeFileAtomic(join(folder, name), new TextEncoder().encode(value));
  await writeJson(join(folder, "results.json"), { ...about, budget: first?.budget, ...report, runs: records });
  await text("report.md", markdown);
  const variants = report.rows.map(({ variant }) => variant);
  const plain = variants.filter(isWhole);
  const ablated = variants.filter((variant) => !isWhole(variant));
  await text("curves.svg", chartOf(records, plain, "The paper's networks on equal budgets"));
  if (ablated.length > 0) {
    const bases = plain.filter(({ arch }) => ablated.some((variant) => variant.arch === arch));
    const shown = [...bases, ...ablated].slice(0, MOST_SERIES);
    await text("ablations.svg", chartOf(records, shown, "Ablations of S2AM on equal budgets"));
  }
  process.stdout.write(markdown);
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    process.stderr.write(`bench:quality: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof S2amError ? 2 : 1);
  },
);
