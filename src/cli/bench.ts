/** `s2am bench`: checks and times the kernels and a whole network on this adapter. */
import { dirname } from "node:path";
import { Command, Option } from "commander";
import { type CheckRow, checkKernels, KERNEL_HEADER, type KernelRow, timeKernels } from "../../bench/kernels.js";
import { benchModel, byKernel, type ModelRow, PAPER_MS } from "../../bench/model.js";
import { benchTraining, type TrainingRow } from "../../bench/training.js";
import { UsageError } from "../errors.js";
import { mebibytes } from "../gpu/memory.js";
import { openDevice } from "../gpu/open_device.node.js";
import { Runtime, type RuntimeOptions } from "../graph/runtime.js";
import type { DType } from "../graph/tensor.js";
import { assertFolder, writeFileAtomic } from "../io/file_write.node.js";
import { requireMatrixUnits } from "../kernels/matrix_units.js";
import { ARCHS, type Arch, checkConfig, DEFAULT_CONFIG, type ModelConfig, sizeMultiple } from "../model/config.js";
import { showDtypeError } from "../model/dtype_error.js";
import { packageVersion } from "../package.node.js";
import { checkTrainOptions } from "../train/train_step.js";
import { type CommandContext, type CommonOptions, numberBetween, printResult, withCommonOptions } from "./app.js";
import { checkMatrixOption, withAdapterOption, withDtypeOption } from "./model_options.js";
import { progressBar } from "./progress.js";

interface BenchOptions extends CommonOptions {
  readonly model: Arch;
  readonly width: number;
  readonly levels: number;
  readonly size: number;
  readonly batch: number;
  readonly kernels?: boolean;
  readonly allVariants?: boolean;
  readonly filter?: string;
  readonly check?: boolean;
  readonly train?: boolean;
  readonly recompute?: boolean;
  readonly output?: string;
  readonly adapter?: string;
  readonly dtype: DType;
  readonly matrixUnits?: boolean;
}

const whole = (max: number) => numberBetween(1, max, "integer");

export function benchCommand(context: CommandContext): Command {
  const command = new Command("bench")
    .description("time a network and its kernels on this adapter; results are checked before they are timed")
    .addOption(new Option("--model <arch>", "network").choices(ARCHS).default(DEFAULT_CONFIG.arch))
    .option("--width <channels>", "channels of the outermost level", whole(1024), DEFAULT_CONFIG.width)
    .option("--levels <n>", "halvings of the input", whole(16), DEFAULT_CONFIG.levels)
    .option("--size <pixels>", "side of the square input", whole(16384), 256)
    .option("--batch <n>", "images a run", whole(1024), 1)
    .option("--check", "first run every case of every variant against its float64 oracle")
    .option("--kernels", "also time each kernel alone, at the sizes of S2AD at 256 x 256")
    .option("--all-variants", "with --kernels: time every variant that can run, not only the chosen one")
    .option("--train", "also time training steps: forward, backward, Adam")
    .option("--recompute", "with --train: compute the activations inside each S2AM again rather than keep them")
    .option("--filter <text>", "with --kernels or --check: only kernels or cases whose name contains this")
    .option("--output <file>", "write the results as JSON; by convention under bench/results/")
    .addHelpText(
      "after",
      "\nExamples:\n  s2am bench\n  s2am bench --model unet --width 16\n  s2am bench --kernels --check --output bench/results/my-gpu.json\n  s2am bench --train --width 16 --size 128 --levels 7 --batch 4",
    );
  withAdapterOption(withDtypeOption(withCommonOptions(command)));
  return command.action((options: BenchOptions) => run(context, options));
}

interface Results {
  readonly command: string;
  readonly date: string;
  readonly versions: Record<string, string>;
  readonly adapter: unknown;
  readonly check?: { cases: number; wrong: readonly CheckRow[] };
  readonly kernels?: readonly KernelRow[];
  readonly model: ModelRow;
  readonly training?: TrainingRow;
  readonly passes: readonly unknown[];
}

async function run({ note }: CommandContext, options: BenchOptions): Promise<void> {
  checkMatrixOption(options);
  const config = checkConfig({ ...DEFAULT_CONFIG, arch: options.model, width: options.width, levels: options.levels });
  const multiple = sizeMultiple(config);
  if (options.size % multiple !== 0) {
    throw new UsageError(
      `--size must be a multiple of ${multiple} for ${config.levels} levels (2^levels), got ${options.size}`,
    );
  }
  if (options.train) {
    if (options.dtype !== "f32") throw new UsageError("--train computes in f32: leave out --dtype f16");
    const { size, batch } = options;
    checkTrainOptions({ config, batch, size, loss: "mse", optimizer: { name: "adam" } });
  }
  if (options.output) await assertFolder(dirname(options.output));
  const { device, description, close } = await openDevice({
    adapter: options.adapter,
    matrixUnits: options.matrixUnits,
    log: note,
    timestamps: "exact",
  });
  const bar = progressBar(options.json);
  const print = (line: string): void => void (options.json ? null : process.stdout.write(`${line}\n`));
  try {
    const matrixUnits = options.matrixUnits ? await requireMatrixUnits(device) : undefined;
    const capabilities = { software: description.isSoftware, matrixUnits };
    const { check, kernels } = await benchKernels(device, capabilities, options, print);
    const { size, batch } = options;
    const { row, passes } = await benchModel(device, {
      config,
      size,
      batch,
      ...capabilities,
      dtype: options.dtype,
      onProgress: bar.onProgress,
    });
    const recompute = options.recompute ?? false;
    const training = options.train
      ? await benchTraining(device, {
          config,
          size,
          batch,
          recompute,
          software: description.isSoftware,
          onProgress: bar.onProgress,
        })
      : null;
    bar.stop();
    const results: Results = {
      command: `s2am ${process.argv.slice(2).join(" ")}`,
      date: new Date().toISOString(),
      versions: { s2am: packageVersion(), node: process.version, platform: `${process.platform} ${process.arch}` },
      adapter: description,
      ...(check && { check: { cases: check.length, wrong: check.filter(({ ok }) => !ok) } }),
      ...(kernels && { kernels }),
      model: row,
      ...(training && { training }),
      passes: byKernel(passes),
    };
    if (options.output)
      await writeFileAtomic(options.output, new TextEncoder().encode(`${JSON.stringify(results, null, 2)}\n`));
    printResult(options, results, [...report(row, config, results), ...(training ? reportTraining(training) : [])]);
    if (check?.some(({ ok }) => !ok)) throw new Error("some kernels compute wrongly on this adapter");
  } finally {
    bar.stop();
    await close();
  }
}

async function benchKernels(
  device: GPUDevice,
  capabilities: RuntimeOptions,
  options: BenchOptions,
  print: (line: string) => void,
) {
  const runtime = new Runtime(device, capabilities);
  const common = { dtype: options.dtype, filter: options.filter, allVariants: options.allVariants, onRow: print };
  try {
    const check = options.check ? await checkKernels(runtime, common) : null;
    if (check) print(`checked ${check.length} cases, ${check.filter(({ ok }) => !ok).length} wrong`);
    if (options.kernels) print(KERNEL_HEADER);
    const kernels = options.kernels ? await timeKernels(runtime, common) : null;
    return { check, kernels };
  } finally {
    runtime.dispose();
  }
}

function reportTraining(row: TrainingRow): string[] {
  return [
    `training step, batch ${row.batch}${row.recompute ? ", recomputing" : ""}: median ${row.msMedian.toFixed(2)} ms (min ${row.msMin.toFixed(2)}, p95 ${row.msP95.toFixed(2)}, ${row.steps} steps), ${row.imagesPerSecond.toFixed(2)} images/s`,
    `  ${row.gflop.toFixed(2)} GFLOP, ${row.dispatches} dispatches; activations, gradients and scratch ${mebibytes(row.activationBytes)}, parameters ${mebibytes(row.parameterBytes)}, optimizer ${mebibytes(row.optimizerBytes)}`,
    `  loss on one batch ${row.losses[0].toFixed(4)} to ${row.losses[1].toFixed(4)}`,
  ];
}

function report(row: ModelRow, config: ModelConfig, { passes }: Pick<Results, "passes">): string[] {
  const kernels = (passes as ReturnType<typeof byKernel>)
    .slice(0, 12)
    .map(
      ({ kernel, count, ms, gflops, gbps }) =>
        `  ${kernel.padEnd(32)} x${String(count).padEnd(4)} ${ms.toFixed(3).padStart(10)} ms ${gflops.toFixed(1).padStart(9)} GFLOP/s ${gbps.toFixed(2).padStart(8)} GB/s`,
    );
  const gpu = row.gpuMsMedian === null ? "no timestamps" : `${row.gpuMsMedian.toFixed(2)} ms on the GPU`;
  return [
    `${config.arch}, width ${row.width}, ${row.levels} levels, ${row.size} x ${row.size}, batch ${row.batch}, ${row.dtype}: ${row.gflop.toFixed(2)} GFLOP, ${row.dispatches} dispatches`,
    `  median ${row.msMedian.toFixed(2)} ms (min ${row.msMin.toFixed(2)}, p95 ${row.msP95.toFixed(2)}, ${row.runs} runs), ${gpu}`,
    `  ${row.ratioToPaper.toFixed(2)} x the paper's ${PAPER_MS} ms an image; ${(row.gflop / row.msMedian).toFixed(3)} TFLOP/s`,
    `  compile ${row.compileMs.toFixed(0)} ms, first run ${row.firstRunMs.toFixed(0)} ms`,
    `  activations and scratch ${mebibytes(row.activationBytes)}, weights ${mebibytes(row.weightBytes)}`,
    `  checked on a small network: relative error ${row.checkedError.toExponential(1)}`,
    ...(row.f16Error ? [`  ${showDtypeError(row.f16Error)}`] : []),
    ...kernels,
  ];
}
