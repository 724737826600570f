/** `s2am train`: a folder of pictures to a network, in a folder that any interruption can be resumed from. */
import { resolve } from "node:path";
import { Command } from "commander";
import { InputError, UsageError } from "../errors.js";
import { mebibytes } from "../gpu/memory.js";
import { Runtime } from "../graph/runtime.js";
import type { HostTensor } from "../io/tensor_data.js";
import { showParts } from "../model/config.js";
import { parameterShapes } from "../model/weights.js";
import type { Checkpoint } from "../train/checkpoint_format.node.js";
import { modelConfigOf, resolveConfig, resumeConfig, type TrainConfig } from "../train/config.js";
import { type CreatedStep, createStep, startingWeights } from "../train/create_step.js";
import { compareChoices, tablesToGoOn } from "../train/kernel_choices.js";
import { type TrainingData, type TrainSummary, trainRun } from "../train/run.node.js";
import { RunFolder } from "../train/run_folder.node.js";
import { type CommandContext, type CommonOptions, onFirstSignal, printResult, withCommonOptions } from "./app.js";
import { modelFromFile, withDeviceOptions } from "./model_options.js";
import { type Session, withDevice } from "./session.js";
import { openTrainingData } from "./train_data.js";
import { readSettings, type TrainOptions, withNetworkOfInit, withSettingFlags } from "./train_options.js";
import { type TrainProgress, trainProgress } from "./train_progress.js";

const EXAMPLES = `
Examples:
  s2am train --data photos --arch s2ad --width 16 --size 128 --batch 4 --epochs 20 --out run
  s2am train --synth photos --synth-cutouts cutouts --epochs 20 --out run
  s2am train --resume run                                 go on where it was interrupted, to the same bits
  s2am train --resume run --epochs 40                     or further
  s2am train --config run/config.json --seed 1 --out run2
  s2am train --data photos --steps 1000 --size 256 --dry-run
  s2am train --data photos --epochs 20 --without mixed --out run3      an ablation of the paper's Table 4

RUN holds config.json, log.csv, report.html, events for TensorBoard, last.safetensors and best.safetensors (for
s2am harmonize --weights), and checkpoints/. Ctrl-C finishes the step and saves; a second one ends at once.`;

export function trainCommand(context: CommandContext): Command {
  const command = new Command("train").description("train a network on a folder of pictures");
  withSettingFlags(command)
    .option("--out <run>", "folder to make for the run")
    .option("--resume <run>", "go on with the run in this folder")
    .option("--config <file>", "JSON of settings by their long names in camel case; options win over it")
    .option("--dry-run", "print the plan of parameters, memory and data, and end")
    .addHelpText("after", EXAMPLES);
  withDeviceOptions(withCommonOptions(command));
  return command.action((options: TrainOptions) => train(command, options, context));
}

async function train(command: Command, options: TrainOptions, context: CommandContext): Promise<void> {
  const progress = trainProgress();
  const note = (message: string): void => progress.tell({ event: "note", message });
  try {
    const task = await prepare(command, options, progress);
    const data = await openTrainingData(task.config, progress.tell);
    try {
      await withDevice({ ...options, ...context, note }, (session) => start(task, data, session, options, progress));
    } finally {
      await data.close();
    }
  } finally {
    progress.stop();
  }
}

interface Task {
  readonly config: TrainConfig;
  /** Null for a dry run without one. */
  readonly folder: RunFolder | null;
  readonly checkpoint: Checkpoint | null;
}

/** All that can be wrong with options and folders is found here. */
async function prepare(command: Command, options: TrainOptions, { tell }: TrainProgress): Promise<Task> {
  const said = await readSettings(command, options);
  const { out, resume, dryRun } = options;
  if (resume === undefined) {
    const config = resolveConfig(await withNetworkOfInit(said));
    if (out === undefined && !dryRun) throw new UsageError("name a folder for the run: --out RUN");
    const folder = out === undefined ? null : new RunFolder(out);
    await folder?.assertFresh();
    return { config, folder, checkpoint: null };
  }
  if (out !== undefined && resolve(out) !== resolve(resume)) {
    throw new UsageError(`--resume ${resume} goes on in that folder: leave out --out ${out}`);
  }
  const folder = new RunFolder(resume);
  await folder.inspect();
  const checkpoint = await folder.checkpoints.load((message) => tell({ event: "warning", message }));
  if (checkpoint) {
    const { step } = checkpoint.state.progress;
    tell({ event: "note", message: `${resume}: going on after step ${step}` });
    return { config: resumeConfig(resume, checkpoint.state.config, said), folder, checkpoint };
  }
  if (said.data === undefined && said.synth === undefined)
    throw new InputError(`${resume}: holds no checkpoint to go on from`);
  tell({ event: "note", message: `${resume}: holds no checkpoint yet, so the run starts at the beginning` });
  return { config: resolveConfig(await withNetworkOfInit(said)), folder, checkpoint: null };
}

async function start(
  { config: wanted, folder, checkpoint }: Task,
  data: TrainingData,
  { device, software, description, memoryLimit, onProgress, stopProgress }: Session,
  options: TrainOptions,
  { tell }: TrainProgress,
): Promise<void> {
  const warn = (message: string): void => tell({ event: "warning", message });
  const begun = checkpoint?.state.kernels;
  // Tables hold what is fast on the adapter as it is: not where other kernels were asked for.
  const asItIs = software === description.isSoftware;
  const tuningTables = begun || asItIs ? tablesToGoOn(device, begun, warn) : undefined;
  const created = await createStep(wanted, await initialWeights(wanted, checkpoint), {
    newRuntime: () => {
      const runtime = new Runtime(device, { software, tuningTables });
      runtime.memory.limitBytes = memoryLimit;
      return runtime;
    },
    warn,
    onProgress,
  });
  if (begun) compareChoices(begun, created.kernels, warn);
  stopProgress();
  const { runtime, step, config } = created;
  const adapter = description.name;
  try {
    if (options.dryRun || !folder) return printPlan(options, created, data, adapter);
    const interruption = new AbortController();
    const release = onFirstSignal(() => {
      tell({ event: "note", message: "interrupted: finishing the step and saving; interrupt again to end at once" });
      interruption.abort();
    });
    try {
      const summary = await trainRun({
        ...created,
        folder,
        checkpoint,
        data,
        adapter,
        tell,
        signal: interruption.signal,
      });
      printSummary(options, summary, folder.path, config);
    } finally {
      release();
    }
  } finally {
    await step.dispose();
    runtime.dispose();
  }
}

/** A checkpoint's are written over them. */
async function initialWeights(
  config: TrainConfig,
  checkpoint: Checkpoint | null,
): Promise<ReadonlyMap<string, HostTensor>> {
  if (config.init === null || checkpoint) return startingWeights(config);
  const { globalSkip, blur, without } = config;
  return (await modelFromFile(config.init, { globalSkip, blur, without })).file.tensors;
}

function printPlan(
  options: CommonOptions,
  { step, runtime, config }: CreatedStep,
  data: TrainingData,
  adapter: string,
): void {
  const { arch, width, levels, without, size, batch, accumulate, steps, epochs } = config;
  const shapes = [...parameterShapes(modelConfigOf(config))];
  const count = (of: typeof shapes): number => of.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const trained = count(shapes.filter(([key]) => !key.includes(".running_")));
  const { parameterBytes, optimizerBytes, activationBytes } = step.memory;
  const { peakBytes } = runtime.memory;
  const total = steps ?? (epochs ?? 1) * data.stepsPerEpoch;
  const plan = {
    adapter,
    config,
    parameters: count(shapes),
    trainedParameters: trained,
    pictures: data.pictures,
    validationPictures: data.validation.length,
    stepsPerEpoch: data.stepsPerEpoch,
    steps: total,
    memory: { parameterBytes, gradientBytes: trained * 4, optimizerBytes, activationBytes, peakBytes },
  };
  const row = (name: string, bytes: number, remark = ""): string =>
    `  ${name.padEnd(34)}${mebibytes(bytes).padStart(12)}${remark}`;
  printResult(options, plan, [
    `${arch} of width ${width}, ${levels} levels${without.length > 0 ? `, without ${showParts(without)}` : ""}, ${size} x ${size}, ${accumulate > 1 ? `${accumulate} x ` : ""}batch ${batch}`,
    row("parameters", parameterBytes, `  ${count(shapes)}, running statistics counted in`),
    row("optimizer", optimizerBytes, `  ${config.optimizer}${config.ema > 0 ? ", average of the weights" : ""}`),
    row(
      "activations, gradients, scratch",
      activationBytes,
      `  of them gradients of parameters ${mebibytes(trained * 4)}`,
    ),
    row("peak on the device", peakBytes),
    `${data.pictures} pictures, ${data.stepsPerEpoch} steps an epoch, ${total} steps; validation on ${data.validation.length}`,
  ]);
}

function printSummary(options: CommonOptions, summary: TrainSummary, run: string, config: TrainConfig): void {
  const { outcome, progress, steps, psnr, baselinePsnr } = summary;
  const { step, best } = progress;
  const weights = { last: `${run}/last.safetensors`, best: best && `${run}/best.safetensors` };
  const { batch, accumulate } = config;
  const result = { run, outcome, step, steps, psnr, baselinePsnr, best, batch, accumulate, weights };
  const lines = [`${run}: ${outcome} at step ${step} of ${steps}`];
  if (best) lines.push(`best validation: PSNR ${best.psnr.toFixed(2)} dB at step ${best.step} (${weights.best})`);
  if (baselinePsnr !== null) lines.push(`untouched composites: PSNR ${baselinePsnr.toFixed(2)} dB`);
  if (outcome === "interrupted") lines.push(`go on with: s2am train --resume ${run}`);
  printResult(options, result, lines);
}
