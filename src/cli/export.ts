/** `s2am export`: a network with its weights as an ONNX model, for other runtimes. */
import { Command } from "commander";
import { UsageError } from "../errors.js";
import { assertWritable, sameFile, writeFileAtomic } from "../io/file_write.node.js";
import { OPSET } from "../io/onnx/model.js";
import { serializeOnnx } from "../io/onnx/writer.js";
import { onnxModel } from "../model/onnx.js";
import type { ModelOptions } from "../model/weights.js";
import { packageVersion } from "../package.node.js";
import { type CommandContext, type CommonOptions, numberBetween, printResult, withCommonOptions } from "./app.js";
import { modelFromFile, withModelFlags } from "./model_options.js";

interface ExportOptions extends CommonOptions, ModelOptions {
  readonly weights: string;
  readonly onnx: string;
  readonly size?: number;
  readonly batch?: number;
}

const EXAMPLES = `
Examples:
  s2am export --weights model_best.pth.tar --onnx s2ad.onnx
  s2am export --weights run/best.safetensors --onnx s2ad-256.onnx --size 256 --batch 1`;

export function exportCommand(_: CommandContext): Command {
  const command = new Command("export")
    .description("write a network as ONNX: x [B,4,H,W] float32 (RGB in [0,1] and the mask) to y [B,3,H,W]")
    .requiredOption("--weights <file>", ".safetensors, .pth or .pth.tar")
    .requiredOption("--onnx <file>", "where to write the model")
    .option("--size <pixels>", "fix the input's sides; without it each run chooses", numberBetween(1, 16384, "integer"))
    .option("--batch <n>", "fix the number of images; without it each run chooses", numberBetween(1, 1024, "integer"))
    .addHelpText("after", EXAMPLES);
  withModelFlags(withCommonOptions(command));
  return command.action(run);
}

async function run(options: ExportOptions): Promise<void> {
  const { weights, onnx: output, size, batch } = options;
  await assertWritable(output);
  if (await sameFile(weights, output)) throw new UsageError(`${output}: the output must not be the input`);
  const { file, model } = await modelFromFile(weights, options);
  const network = onnxModel(file.tensors, model.config, { size, batch, version: packageVersion() });
  const bytes = serializeOnnx(network);
  await writeFileAtomic(output, bytes);
  const { arch, width, levels, globalSkip, blur, without } = model.config;
  const [input] = network.inputs.map(({ shape }) => shape);
  const nodes = network.nodes.length;
  const result = {
    output,
    arch,
    width,
    levels,
    globalSkip,
    blur,
    ...(without && { without }),
    input,
    opset: OPSET,
    nodes,
    parameters: model.parameterCount,
    bytes: bytes.length,
  };
  printResult(options, result, [
    `${output}: ${arch}, width ${width}, ${levels} levels, x [${input?.join(", ")}], ${nodes} nodes of opset ${OPSET}, ${bytes.length} bytes`,
  ]);
}
