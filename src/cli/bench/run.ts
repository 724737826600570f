/** What `s2am bench` does, in order: refuse what cannot be, measure, write, print. */
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { byKernel } from "../../../bench/breakdown.js";
import { assertSameAdapter, compareResults, parseResults, type Timed } from "../../../bench/compare.js";
import { anyRows } from "../../../bench/kernels.js";
import type { Results } from "../../../bench/results.js";
import { InputError, UsageError } from "../../errors.js";
import { reason } from "../../io/file_source.node.js";
import { assertFolder } from "../../io/file_write.node.js";
import { suites } from "../../kernels/index.js";
import { checkConfig, DEFAULT_CONFIG, type ModelConfig, sizeMultiple } from "../../model/config.js";
import { packageVersion } from "../../package.node.js";
import { checkTrainOptions } from "../../train/train_step.js";
import { type CommandContext, printResult } from "../app.js";
import type { BenchOptions } from "../bench.js";
import { benchTogglesCommand } from "../bench_toggles.js";
import { checkMatrixOption } from "../model_options.js";
import { progressBar } from "../progress.js";
import { openGuarded } from "../session.js";
import { measure } from "./measure.js";
import { writeOutputs } from "./outputs.js";
import { report } from "./text.js";

export async function runBench({ note }: CommandContext, options: BenchOptions): Promise<void> {
  const config = checkOptions(options);
  for (const file of [options.output, options.trace, options.html]) if (file) await assertFolder(dirname(file));
  const old = options.compare === undefined ? null : await readEarlier(options.compare);
  if (options.toggles) return benchTogglesCommand(config, options, note);
  const opened = await openGuarded({ ...options, timestamps: "exact", note });
  const { device, description, close } = opened;
  const bar = progressBar(options.json);
  const print = (line: string): void => void (options.json ? null : process.stdout.write(`${line}\n`));
  try {
    if (old && options.compare && !options.forceCompare) assertSameAdapter(old, description, options.compare);
    if (options.trace && !device.features.has("timestamp-query"))
      throw new InputError(`--trace needs GPU timestamps, which ${description.name} has not: choose another adapter`);
    const { passes, trainingPasses, ...measured } = await measure(opened, config, options, {
      print,
      onProgress: bar.onProgress,
    });
    bar.stop();
    const found: Results = {
      command: `s2am ${process.argv.slice(2).join(" ")}`,
      date: new Date().toISOString(),
      versions: { s2am: packageVersion(), node: process.version, platform: `${process.platform} ${process.arch}` },
      adapter: description,
      ...measured,
      ...(measured.model && { passes: byKernel(passes, measured.roofline ?? null) }),
      ...(measured.training && { trainingPasses: byKernel(trainingPasses, measured.roofline ?? null) }),
    };
    const compare = old && options.compare ? compareWith(old, found, options.compare) : null;
    const results = { ...found, ...(compare && { compare }) };
    await writeOutputs(results, { forward: passes, trainingStep: trainingPasses }, options);
    printResult(options, results, report(results));
    if (results.check?.wrong.length) throw new Error("some kernels compute wrongly on this adapter");
    if (compare && options.failOnSlower) {
      const compared = compare.slower.length + compare.faster.length + compare.same;
      if (compare.slower.length > 0 || compared === 0) process.exitCode = 1;
    }
  } finally {
    bar.stop();
    await close();
  }
}

/** @throws UsageError for what no bench can be made of, before a device is opened */
function checkOptions(options: BenchOptions): ModelConfig {
  const { model, width, levels, size, batch } = options;
  const config = checkConfig({ ...DEFAULT_CONFIG, arch: model || DEFAULT_CONFIG.arch, width, levels });
  const multiple = sizeMultiple(config);
  if (size % multiple !== 0) {
    throw new UsageError(`--size must be a multiple of ${multiple} for ${levels} levels (2^levels), got ${size}`);
  }
  checkMatrixOption(options);
  if (options.train && options.dtype !== "f32") throw new UsageError("--train computes in f32: leave out --dtype f16");
  if (options.toggles && options.dtype !== "f32")
    throw new UsageError("--toggles are measured in f32: leave out --dtype f16");
  if (options.train) checkTrainOptions({ config, batch, size, loss: "mse", optimizer: { name: "adam" } });
  if (!model && !options.kernels && !options.check && !options.train && !options.roofline)
    throw new UsageError("--no-model and --no-roofline leave nothing to measure: add --kernels, --check or --train");
  const { filter } = options;
  const nothing =
    filter !== undefined &&
    ((options.kernels && !anyRows(options, true)) || (options.check && !anyRows(options, false)));
  if (nothing) throw new UsageError(`--filter ${filter}: no "op case" contains this, such as "linear 1x8-128_relu"`);
  if (options.trace !== undefined && !model && !options.train)
    throw new UsageError("--trace shows the network or a training step: leave out --no-model, or add --train");
  if (options.compare === undefined && (options.failOnSlower || options.forceCompare))
    throw new UsageError("--fail-on-slower and --force-compare go with --compare OLD.json");
  return config;
}

async function readEarlier(file: string): Promise<Timed> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new InputError(`${file}: cannot be read (${reason(cause)})`, { cause });
  }
  return parseResults(text, file);
}

function compareWith(old: Timed, { date, adapter, kernels, model, training }: Results, file: string) {
  const now: Timed = {
    date,
    adapter: { name: adapter.name },
    kernels: kernels?.map((row) => ({ ...row })),
    model: model && { ...model },
    training: training && { ...training },
  };
  const ops = suites.map(({ op }) => op.name);
  return compareResults(old, now, file, ops);
}
