/** `s2am harmonize`: one composite, or a folder of them. */
import { stat } from "node:fs/promises";
import { Command } from "commander";
import { UsageError } from "../errors.js";
import { openDevice } from "../gpu/open_device.node.js";
import { DEFAULT_WORKING_SIZE, Harmonizer } from "../harmonizer.js";
import { DEFAULT_MAX_PIXELS } from "../image/codec.node.js";
import { fileSource } from "../io/file_source.node.js";
import { DEFAULT_WEIGHTS } from "../package.node.js";
import { type CommandContext, type CommonOptions, numberBetween, printResult, withCommonOptions } from "./app.js";
import { harmonizeFolder } from "./harmonize_folder.js";
import { checkJob, harmonizePair, type Job, type PairOptions, readPair } from "./harmonize_pair.js";
import { modelFlags, withAdapterOption, withModelFlags } from "./model_options.js";
import { progressBar } from "./progress.js";

interface HarmonizeOptions extends CommonOptions, PairOptions {
  readonly output: string;
  readonly weights: string;
  readonly adapter?: string;
  readonly compare?: string;
}

const EXAMPLES = `
Examples:
  s2am harmonize composite.jpg mask.png -o harmonized.jpg
  s2am harmonize cutout_on_photo.png -o out.png          the alpha channel is the mask
  s2am harmonize composite.jpg mask.png -o out.png --strength 0.7 --feather 3 --compare strip.png
  s2am harmonize folder/ -o results/                     every NAME.EXT with a NAME_mask.png beside it`;

export function harmonizeCommand(context: CommandContext): Command {
  const command = new Command("harmonize")
    .description("make the masked region of a picture match the rest of it")
    .argument("<composite>", "picture (PNG, JPEG, WebP) or folder")
    .argument("[mask]", "picture of the same size, white where the pasted region is; default: the composite's alpha channel")
    .requiredOption("-o, --output <path>", "picture to write (folder, for a folder)")
    .option("--weights <file>", ".safetensors, .pth or .pth.tar", DEFAULT_WEIGHTS())
    .option("--invert-mask", "black is the pasted region")
    .option("--strength <0..1>", "how much of the change to apply", numberBetween(0, 1), 1)
    .option("--working-size <pixels>", "longest side at which the network runs", numberBetween(16, 65536, "integer"), DEFAULT_WORKING_SIZE)
    .option("--feather <pixels>", "fade the change in from the mask's edge inwards", numberBetween(0, 10000), 0)
    .option("--compare <path>", "also write before, mask and after side by side (folder, for a folder)")
    .option("--max-pixels <n>", "refuse pictures with more pixels", numberBetween(1, 1e12), DEFAULT_MAX_PIXELS)
    .addHelpText("after", EXAMPLES);
  withAdapterOption(withModelFlags(withCommonOptions(command)));
  return command.action((composite: string, mask: string | undefined, options: HarmonizeOptions) =>
    run(command, context, composite, mask, options),
  );
}

async function run(command: Command, { note, signal }: CommandContext, composite: string, mask: string | undefined, options: HarmonizeOptions) {
  const isFolder = (await stat(composite).catch(() => null))?.isDirectory() ?? false;
  if (isFolder && mask) throw new UsageError(`${composite} is a folder: its masks are the NAME_mask.png in it, give no mask`);
  const job: Job = { composite, mask, output: options.output, compare: options.compare };
  // Everything that can be wrong with the input is found before a device is opened.
  const pair = isFolder ? null : (await checkJob(job), await readPair(job, options));
  const { device, description, close } = await openDevice({ adapter: options.adapter, log: note });
  const bar = progressBar(options.json);
  const weights = await fileSource(options.weights).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  try {
    const loading = { ...modelFlags(command), device, software: description.isSoftware, name: options.weights };
    const harmonizer = await Harmonizer.load(weights, loading);
    const tools = { harmonizer, options, signal, onProgress: bar.onProgress };
    if (pair) {
      const result = { adapter: description.name, ...(await harmonizePair(pair, tools)) };
      bar.stop();
      const at = `${result.workedAt.width} x ${result.workedAt.height}`;
      printResult(options, result, [
        `${result.output}: ${result.width} x ${result.height}, network at ${at} in ${result.modelMs.toFixed(0)} ms, ${result.totalMs.toFixed(0)} ms in all`,
      ]);
    } else {
      const report = await harmonizeFolder(job, tools, note);
      bar.stop();
      printResult(options, { adapter: description.name, ...report }, [
        `${options.output}: ${report.done.length} of ${report.done.length + report.failed.length} pictures harmonized`,
      ]);
      if (report.failed.length > 0) process.exitCode = 2;
    }
    await harmonizer.dispose();
  } finally {
    bar.stop();
    await weights.close();
    await close();
  }
}
