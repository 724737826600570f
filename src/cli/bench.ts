/** `s2am bench`: checks and times the kernels and a whole network on this adapter. */
import { Command, Option } from "commander";
import type { DType } from "../graph/tensor.js";
import { ARCHS, type Arch, DEFAULT_CONFIG } from "../model/config.js";
import { type CommandContext, type CommonOptions, numberBetween, withCommonOptions } from "./app.js";
import { runBench } from "./bench/run.js";
import { type KernelKind, withDeviceOptions, withDtypeOption } from "./model_options.js";

export interface BenchOptions extends CommonOptions {
  readonly model: Arch | false;
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
  readonly roofline: boolean;
  readonly seconds: number;
  readonly output?: string;
  readonly trace?: string;
  readonly html?: string;
  readonly compare?: string;
  readonly forceCompare?: boolean;
  readonly failOnSlower?: boolean;
  readonly toggles?: boolean;
  readonly adapter?: string;
  readonly tuning?: string | boolean;
  readonly unsafeFast?: boolean;
  readonly kernelsFor?: KernelKind;
  readonly dtype: DType;
  readonly matrixUnits?: boolean;
}

const whole = (max: number) => numberBetween(1, max, "integer");

export function benchCommand(context: CommandContext): Command {
  const command = new Command("bench")
    .description("time a network and its kernels on this adapter; results are checked before they are timed")
    .addOption(new Option("--model <arch>", "network").choices(ARCHS).default(DEFAULT_CONFIG.arch))
    .option("--no-model", "leave the network out: kernels or a training step alone")
    .option("--width <channels>", "channels of the outermost level", whole(1024), DEFAULT_CONFIG.width)
    .option("--levels <n>", "halvings of the input", whole(16), DEFAULT_CONFIG.levels)
    .option("--size <pixels>", "side of the square input", whole(16384), 256)
    .option("--batch <n>", "images a run", whole(1024), 1)
    .option("--check", "first run every case of every variant against its float64 oracle")
    .option("--kernels", "also time each kernel alone, at the sizes of S2AD at 256 x 256")
    .option("--all-variants", "with --kernels: time every variant that can run, not only the chosen one")
    .option("--train", "also time training steps: forward, backward, Adam")
    .option("--recompute", "with --train: compute the activations inside each S2AM again rather than keep them")
    .option("--toggles", "instead, what each of dawn's toggles that --unsafe-fast sets gives for the network")
    .option("--filter <text>", "with --kernels or --check: only kernels or cases whose name contains this")
    .option("--no-roofline", "leave out the adapter's peak and bandwidth, and with them floors and limits")
    .option(
      "--seconds <n>",
      "of repeats a network or step, at most; a kernel row takes a seventh",
      numberBetween(0.01, 3600),
      10,
    )
    .option("--output <file>", "write the results as JSON; by convention under bench/results/")
    .option("--html <file>", "write the results as one page: bars against their floors, roofline, breakdown")
    .option("--trace <file>", "write the passes of one profiled run as a trace for ui.perfetto.dev")
    .option("--compare <old.json>", "print what got slower and faster since the run that wrote this file")
    .option("--force-compare", "with --compare: also where the file is of another adapter")
    .option("--fail-on-slower", "with --compare: end with 1 when something got slower, or nothing could be compared")
    .addHelpText("after", HELP);
  withDeviceOptions(withDtypeOption(withCommonOptions(command)));
  return command.action((options: BenchOptions) => runBench(context, options));
}

const HELP = `
How it measures:
  Peak and bandwidth: multiply-adds from registers, and a copy larger than the caches; the best of several shapes.
  Times are medians of repeats; "spread" is the distance between the quartiles over the median. Kernels are timed by GPU
  timestamps around each pass, networks by the wall from upload to read-back. Before each repeat of a kernel the caches
  are overwritten; on software adapters only where its floor is of memory. --compare takes differences below 5 %, or
  below both spreads together, for noise.

Examples:
  s2am bench
  s2am bench --model unet --width 16
  s2am bench --kernels --check --output bench/results/my-gpu.json --html bench.html --trace bench.trace.json
  s2am bench --train --width 16 --size 128 --levels 7 --batch 4
  s2am bench --kernels --no-model --all-variants --filter conv2d
  s2am bench --kernels --compare bench/results/my-gpu.json --fail-on-slower`;
