/** `s2am tune`: times the variants of every problem in a network on this adapter, and keeps the fastest in a table. */
import { Command, InvalidArgumentError, Option } from "commander";
import { UsageError } from "../errors.js";
import { checkDtype } from "../graph/elements.js";
import { Runtime } from "../graph/runtime.js";
import { type DType, input, sizeOf } from "../graph/tensor.js";
import { assertWritable } from "../io/file_write.node.js";
import { fromFloat32, type HostTensor } from "../io/tensor_data.js";
import { ARCHS, type Arch, checkConfig, DEFAULT_CONFIG, type ModelConfig, sizeMultiple } from "../model/config.js";
import { unet } from "../model/unet.js";
import { loadModel, parameterShapes } from "../model/weights.js";
import { trainGraphs } from "../train/train_graph.js";
import { checkTrainOptions, type TrainStepOptions } from "../train/train_step.js";
import type { TunableGraph } from "../tuner/problems.js";
import { type TuneResult, type TuneSummary, tune } from "../tuner/tune.js";
import { adapterIdentity } from "../tuning/identity.js";
import { assertAdapter } from "../tuning/table.js";
import { readTable, readUserTable, userTablePath, writeTable } from "../tuning/user_tables.node.js";
import {
  type CommandContext,
  type CommonOptions,
  numberBetween,
  onFirstSignal,
  printResult,
  withCommonOptions,
} from "./app.js";
import {
  checkMatrixOption,
  type KernelKind,
  withAdapterOption,
  withDtypeOption,
  withUnsafeFastOption,
} from "./model_options.js";
import { withDevice } from "./session.js";

interface Size {
  readonly h: number;
  readonly w: number;
}

interface TuneCommandOptions extends CommonOptions {
  readonly model: Arch;
  readonly width: number;
  readonly levels: number;
  readonly globalSkip?: boolean;
  readonly size: readonly Size[];
  readonly batch: number;
  readonly train?: boolean;
  readonly dtype: DType;
  readonly matrixUnits?: boolean;
  readonly again?: boolean;
  readonly budgetMs: number;
  readonly output?: string;
  readonly adapter?: string;
  readonly unsafeFast?: boolean;
  readonly kernelsFor?: KernelKind;
}

const EXAMPLES = `
Examples:
  s2am tune                                               S2AD of width 64 at 256 x 256, into your own table
  s2am tune --width 16 --global-skip --size 512,512x256   for s2am harmonize with the weights in the box
  s2am tune --train --width 16 --levels 7 --size 128 --batch 4
  s2am tune --output table.json                           into a file, for --tuning table.json or to be shared

Ctrl-C keeps what was tuned so far; the next call goes on from there (--again starts over). Your own table lies in the
cache folder (s2am doctor says where) and wins over the one in the box; --no-tuning or S2AM_TUNING=off leaves both out.`;

const whole = (max: number) => numberBetween(1, max, "integer");

export function tuneCommand(context: CommandContext): Command {
  const command = new Command("tune")
    .description("time the variants of every kernel in a network on this adapter, and remember the fastest")
    .addOption(new Option("--model <arch>", "network").choices(ARCHS).default(DEFAULT_CONFIG.arch))
    .option("--width <channels>", "channels of the outermost level", whole(1024), DEFAULT_CONFIG.width)
    .option("--levels <n>", "halvings of the input", whole(16), DEFAULT_CONFIG.levels)
    .option("--global-skip", "the network's output is added to its input")
    .addOption(
      new Option("--size <pixels>", "side of the input, or HEIGHTxWIDTH; several with commas between them")
        .argParser(parseSizes)
        .default([{ h: 256, w: 256 }], "256"),
    )
    .option("--batch <n>", "images a run", whole(1024), 1)
    .option("--train", "also the training step's kernels: forward, backward, optimizer")
    .option("--again", "time problems that are in the table already, too")
    .option("--budget-ms <ms>", "of timed runs a problem, all its variants together", numberBetween(10, 600_000), 1000)
    .option("--output <table.json>", "write this file instead of your own table; it is gone on from where it is there")
    .addHelpText("after", EXAMPLES);
  withUnsafeFastOption(withAdapterOption(withDtypeOption(withCommonOptions(command))));
  return command.action((options: TuneCommandOptions) => run(options, context));
}

function parseSizes(text: string): Size[] {
  return text.split(",").map((one) => {
    const [h, w, ...more] = one.split("x").map((side) => (/^\d{1,5}$/.test(side) ? Number(side) : 0));
    if (!h || more.length > 0 || w === 0)
      throw new InvalidArgumentError("expected pixels, or HEIGHTxWIDTH, with commas between several.");
    return { h, w: w ?? h };
  });
}

async function run(options: TuneCommandOptions, { note }: CommandContext): Promise<void> {
  checkMatrixOption(options);
  const graphs = graphsOf(options);
  if (options.output !== undefined) await assertWritable(options.output);
  await withDevice(
    { ...options, tuning: false, timestamps: "exact", note },
    async ({ device, software, description, ...session }) => {
      const identity = adapterIdentity(device);
      const path = options.output ?? userTablePath(identity);
      const before = await (options.output === undefined ? readUserTable(identity, note) : readTable(path));
      if (before && options.output !== undefined) assertAdapter(before, identity, path);
      const runtime = new Runtime(device, { software, matrixUnits: session.matrixUnits });
      checkDtype(runtime, options.dtype);
      runtime.memory.limitBytes = session.memoryLimit;
      const interruption = new AbortController();
      const release = onFirstSignal(() => {
        note("interrupted: finishing the run under way and keeping what was tuned; interrupt again to end at once");
        interruption.abort();
      });
      try {
        const summary = await tune(runtime, graphs, {
          table: before,
          again: options.again ?? false,
          budgetMs: options.budgetMs,
          signal: interruption.signal,
          onProgress: session.onProgress,
          onResult: async (result, table) => {
            await writeTable(path, table);
            for (const line of [...complaints(result), ...told(result)]) session.print(line);
          },
        });
        if (summary.results.length === 0 && !before) await writeTable(path, summary.table);
        session.stopProgress();
        report(options, summary, description.name, path, interruption.signal.aborted);
      } finally {
        release();
        runtime.dispose();
      }
    },
  );
}

/** Graphs only: no weights are drawn, as none are needed to know the shapes. */
function graphsOf({ model, width, levels, globalSkip = false, size, batch, train, dtype }: TuneCommandOptions) {
  const config = checkConfig({ ...DEFAULT_CONFIG, arch: model, width, levels, globalSkip });
  const multiple = sizeMultiple(config);
  for (const side of size.flatMap(({ h, w }) => [h, w])) {
    if (side % multiple === 0) continue;
    throw new UsageError(`--size must be multiples of ${multiple} for ${levels} levels (2^levels), got ${side}`);
  }
  const weights = blankWeights(config);
  const graphs: TunableGraph[] = size.map(({ h, w }) => {
    const { layers } = loadModel(weights, {}, config);
    return { outputs: { y: unet(layers.as(dtype), config, input("x", [batch, h, w, 4])).y } };
  });
  if (!train) return graphs;
  if (dtype !== "f32") throw new UsageError("--train computes in f32: leave out --dtype f16");
  for (const { h, w } of size) {
    if (h !== w) throw new UsageError(`--train: networks are trained on squares, got --size ${h}x${w}`);
    const step: TrainStepOptions = { config, batch, size: h, loss: "mse", optimizer: { name: "adam" } };
    checkTrainOptions(step);
    const { micro, update } = trainGraphs(step, weights);
    graphs.push(micro, ...(update ? [update] : []));
  }
  return graphs;
}

function blankWeights(config: ModelConfig): Map<string, HostTensor> {
  const shapes = [...parameterShapes(config)];
  return new Map(shapes.map(([key, shape]) => [key, fromFloat32(new Float32Array(sizeOf(shape)), shape, "F32")]));
}

/** What is wrong with a variant on this adapter is worth a line at once. */
const complaints = ({ key, rejected }: TuneResult): string[] =>
  rejected
    .filter(({ why }) => why === "wrong")
    .map(({ variant, detail }) => `WRONG ${variant} of ${key}: ${detail}; it is not chosen`);

const told = ({ key, entry }: TuneResult): string[] =>
  entry ? [`${entry.variant.padEnd(14)} ${entry.ms.toFixed(3).padStart(10)} ms  ${key}`] : [];

function report(
  options: CommonOptions,
  summary: TuneSummary,
  adapter: string,
  path: string,
  interrupted: boolean,
): void {
  const { table, results, skipped, left } = summary;
  const gains = results
    .map(({ key, count, entry }) => ({ key, entry, saved: savedMs(entry, count) }))
    .filter(({ entry }) => entry !== null && entry.variant !== entry.default)
    .sort((a, b) => b.saved - a.saved);
  const wrong = results.flatMap(({ key, rejected }) =>
    rejected.filter(({ why }) => why === "wrong").map(({ variant, detail }) => ({ key, variant, detail })),
  );
  const savedMsTotal = gains.reduce((sum, { saved }) => sum + saved, 0);
  const entries = Object.keys(table.entries).length;
  const result = {
    adapter,
    table: path,
    entries,
    tuned: results.length,
    skipped,
    left,
    interrupted,
    savedMs: savedMsTotal,
    wrong,
    results,
  };
  printResult(options, result, [
    `${path}: ${entries} entries; ${results.length} problems timed, ${skipped} were there already${left > 0 ? `, ${left} left` : ""}`,
    ...gains
      .slice(0, 20)
      .map(
        ({ key, entry, saved }) =>
          `  ${(-saved).toFixed(2).padStart(9)} ms  ${entry?.variant} in ${entry?.ms} ms for ${entry?.default} in ${entry?.defaultMs} ms: ${key}`,
      ),
    `${gains.length} differ from the defaults: ${savedMsTotal.toFixed(2)} ms less, each problem counted as often as the graphs have it`,
    ...(interrupted ? ["interrupted: the same command goes on"] : []),
  ]);
  if (interrupted) process.exitCode = 130;
}

const savedMs = (entry: TuneResult["entry"], count: number): number =>
  entry?.defaultMs == null ? 0 : count * (entry.defaultMs - entry.ms);
