/**
 * This engine beside ONNX Runtime, TensorFlow.js and jax-js: the same networks, inputs and driver, each engine in a
 * process of its own, one at work at a time, in turns.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { constants, cpus, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError, Option } from "commander";
import { numberBetween } from "../../src/cli/app.js";
import { S2amError, UsageError } from "../../src/errors.js";
import { assertFolder, writeFileAtomic } from "../../src/io/file_write.node.js";
import { type Arch, checkConfig, DEFAULT_CONFIG, sizeMultiple } from "../../src/model/config.js";
import { packageVersion } from "../../src/package.node.js";
import { checkTrainOptions } from "../../src/train/train_step.js";
import { driverEnvironment } from "./drivers.js";
import { EngineProcess, type EngineSpec } from "./engine_process.js";
import { type ConvJob, type ForwardJob, type Job, type TrainJob, writeFiles } from "./jobs.js";
import { type JobResult, measure } from "./measure.js";
import { showJob } from "./report.js";

const ENGINES: readonly EngineSpec[] = [
  { name: "s2am-webgpu", file: "s2am", args: [] },
  { name: "onnxruntime webgpu", file: "onnxruntime", args: ["webgpu"] },
  { name: "onnxruntime cpu", file: "onnxruntime", args: ["cpu"] },
  { name: "tfjs webgpu", file: "tensorflow", args: [] },
  { name: "jax-js webgpu", file: "jax", args: [] },
];
const KINDS = ["forward", "train", "conv"] as const;
type Kind = (typeof KINDS)[number];

interface Options {
  readonly model: readonly Arch[];
  readonly width: number;
  readonly levels: number;
  readonly size: number;
  readonly rounds: number;
  readonly only: readonly Kind[];
  readonly engines?: readonly string[];
  readonly quick?: boolean;
  readonly timeout: number;
  readonly adapter?: string;
  readonly output?: string;
}

const whole = (max: number) => numberBetween(1, max, "integer");
const list = (text: string): string[] => text.split(",").map((part) => part.trim());

function listOf<T extends string>(what: string, known: readonly T[]): (text: string) => T[] {
  return (text) =>
    list(text).map((part) => {
      const found = known.find((one) => one === part);
      if (!found) throw new UsageError(`${what}: expected some of ${known.join(", ")}, got "${part}"`);
      return found;
    });
}

const program = new Command("npm run bench:peers --")
  .description(
    "time this engine beside ONNX Runtime, TensorFlow.js and jax-js; results are compared before they are timed",
  )
  .addOption(
    new Option("--model <archs>", "networks of the forward runs, separated by commas")
      .argParser(listOf("--model", ["unet", "s2asc", "s2ad"] as const))
      .default(["s2ad", "unet"]),
  )
  .option("--width <channels>", "of the forward runs", whole(1024), DEFAULT_CONFIG.width)
  .option("--levels <n>", "of the forward runs", whole(16), DEFAULT_CONFIG.levels)
  .option("--size <pixels>", "side of the square input of the forward runs", whole(16384), 256)
  .option("--rounds <n>", "turns of each engine", whole(100), 3)
  .addOption(
    new Option("--only <parts>", `some of ${KINDS.join(", ")}`).argParser(listOf("--only", KINDS)).default(KINDS),
  )
  .option("--engines <names>", "engines whose name contains one of these, separated by commas", list)
  .option("--quick", "small networks and one round: a minute or so, to see that everything runs")
  .option("--timeout <seconds>", "for an engine's longest answer", whole(86400), 600)
  .option("--adapter <name>", "as of s2am (also S2AM_ADAPTER); every engine is given the same driver")
  .option("--output <file>", "write the results as JSON; jobs of earlier calls that it holds are kept")
  .exitOverride();

/** The jobs that were asked for, without their files. */
function jobsOf(options: Options): Job[] {
  const { quick = false } = options;
  const forward = options.model.map((arch): ForwardJob => {
    const small = quick ? { width: 16, levels: 7 } : { width: options.width, levels: options.levels };
    const config = checkConfig({ ...DEFAULT_CONFIG, arch, ...small });
    const size = quick ? 128 : options.size;
    if (size % sizeMultiple(config) !== 0) {
      throw new UsageError(`--size must be a multiple of ${sizeMultiple(config)} (2^levels), got ${size}`);
    }
    const name = `${arch} forward, width ${config.width}, ${config.levels} levels, ${size} x ${size}`;
    return { kind: "forward", name, config, batch: 1, size, weights: "", onnx: "" };
  });
  const trained = { ...DEFAULT_CONFIG, arch: "s2ad", width: quick ? 8 : 16, levels: quick ? 5 : 7 } as const;
  const [size, batch] = quick ? [32, 2] : [128, 4];
  checkTrainOptions({ config: trained, batch, size, loss: "mse", optimizer: { name: "adam" } });
  const train: TrainJob = {
    kind: "train",
    name: `s2ad training step, width ${trained.width}, ${trained.levels} levels, ${size} x ${size}, batch ${batch}`,
    config: trained,
    batch,
    size,
    weights: "",
  };
  const conv = quick ? [convJob(32, 64, 32, 3, 1)] : CONVOLUTIONS;
  const jobs: Record<Kind, readonly Job[]> = { forward, train: [train], conv };
  return KINDS.filter((kind) => options.only.includes(kind)).flatMap((kind) => jobs[kind]);
}

const convJob = (cIn: number, cOut: number, size: number, kernel: number, stride: number): ConvJob => ({
  kind: "conv",
  name: `conv${kernel}x${kernel}${stride > 1 ? ` stride ${stride}` : ""} ${cIn} to ${cOut}, ${size} x ${size}`,
  size,
  cIn,
  cOut,
  kernel,
  stride,
  padding: 1,
  onnx: "",
});

/** Three that S2AD is made of: its costliest, one with few pixels and many channels, and an encoder's. */
const CONVOLUTIONS: readonly ConvJob[] = [
  convJob(128, 256, 128, 3, 1),
  convJob(512, 1024, 32, 3, 1),
  convJob(64, 128, 128, 4, 2),
];

interface Results {
  readonly versions: Record<string, string>;
  readonly host: Record<string, string | number>;
  readonly jobs: readonly (JobResult & { readonly command: string; readonly date: string })[];
}

async function main(argv: readonly string[]): Promise<void> {
  const options = program.parse([...argv], { from: "user" }).opts<Options>();
  if (options.output) {
    await assertFolder(dirname(options.output));
    earlier(options.output);
  }
  const jobs = jobsOf(options);
  const [own, ...others] = ENGINES;
  const wanted = others.filter(({ name }) => options.engines?.some((part) => name.includes(part)) ?? true);
  if (!own) throw new Error("this engine is not among the engines");
  const choice = options.adapter || process.env.S2AM_ADAPTER || "auto";
  const env = { ...process.env, S2AM_ADAPTER: choice, ...driverEnvironment(choice) };
  const here = dirname(fileURLToPath(import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "s2am-peers-"));
  let engines: readonly EngineProcess[] = [];
  process.on("exit", () => {
    for (const engine of engines) engine.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => process.exit(128 + constants.signals[signal]));
  }
  for (const asked of jobs) {
    process.stderr.write(`${asked.name}\n`);
    const job = writeFiles(asked, folder);
    engines = [own, ...wanted].map(
      (spec) => new EngineProcess(spec, join(here, "engines", `${spec.file}.mjs`), env, options.timeout * 1000),
    );
    try {
      const note = (line: string): void => void process.stderr.write(`${line}\n`);
      const result = await measure(job, engines, options.quick ? 1 : options.rounds, note);
      for (const line of showJob(result)) process.stdout.write(`${line}\n`);
      if (options.output) await save(options.output, result, argv);
    } finally {
      for (const engine of engines) engine.stop();
    }
  }
}

/** After every job, so that an interrupted bench leaves what it has measured. */
async function save(path: string, result: JobResult, argv: readonly string[]): Promise<void> {
  const kept = earlier(path).filter(({ job, adapter }) => job !== result.job && adapter === result.adapter);
  const command = `npm run bench:peers -- ${argv.join(" ")}`;
  const [cpu] = cpus();
  const results: Results = {
    versions: { s2am: packageVersion(), node: process.version, platform: `${process.platform} ${process.arch}` },
    host: { cores: cpus().length, cpu: cpu?.model ?? "unknown" },
    jobs: [...kept, { ...result, command, date: new Date().toISOString() }],
  };
  await writeFileAtomic(path, new TextEncoder().encode(`${JSON.stringify(results, null, 2)}\n`));
}

/** The jobs that a file of results holds. @throws UsageError where there is a file of something else */
function earlier(path: string): Results["jobs"] {
  if (!existsSync(path)) return [];
  const foreign = new UsageError(`${path}: holds something else than this bench's results; name another file`);
  try {
    const { jobs } = JSON.parse(readFileSync(path, "utf8")) as Partial<Results>;
    if (Array.isArray(jobs)) return jobs;
  } catch {
    throw foreign;
  }
  throw foreign;
}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    process.stderr.write(`bench:peers: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(error instanceof S2amError ? 2 : 1);
  },
);
