/** `s2am convert`: checkpoints of PyTorch to safetensors that say what network they are, and back. */
import { Command, Option } from "commander";
import { InputError, UsageError } from "../errors.js";
import { assertWritable, sameFile, writeFileAtomic } from "../io/file_write.node.js";
import { serializePytorchCheckpoint } from "../io/pytorch/writer.js";
import { serializeSafetensors } from "../io/safetensors.js";
import { fromFloat32, type HostTensor, toFloat32 } from "../io/tensor_data.js";
import { metadataOf, showParts } from "../model/config.js";
import { completeStateDict } from "../model/state_dict.js";
import type { Model, ModelOptions } from "../model/weights.js";
import { type CommandContext, type CommonOptions, printResult, withCommonOptions } from "./app.js";
import { modelFromFile, withModelFlags } from "./model_options.js";

interface ConvertOptions extends CommonOptions, ModelOptions {
  readonly dtype: "f32" | "f16";
}

const EXAMPLES = `
Examples:
  s2am convert model_best.pth.tar s2ad.safetensors
  s2am convert s2ad.pth s2ad-f16.safetensors --dtype f16
  s2am convert run/best.safetensors s2ad.pth              for torch.load and load_state_dict(strict=True)`;

export function convertCommand(_: CommandContext): Command {
  const command = new Command("convert")
    .description("convert weights to .safetensors, or to PyTorch's .pth")
    .argument("<in>", ".pth, .pth.tar or .safetensors")
    .argument("<out>", ".safetensors, .pth or .pth.tar")
    .addOption(
      new Option("--dtype <type>", "of the convolutions; statistics stay float32")
        .choices(["f32", "f16"])
        .default("f32"),
    )
    .addHelpText("after", EXAMPLES);
  withModelFlags(withCommonOptions(command));
  return command.action(async (from: string, to: string, options: ConvertOptions) => {
    const serialize = writerFor(to);
    await assertWritable(to);
    if (await sameFile(from, to)) throw new UsageError(`${to}: the output must not be the input`);
    const { file, model } = await modelFromFile(from, options);
    const tensors = new Map([...file.tensors].map(([key, tensor]) => [key, convertTensor(key, tensor, options.dtype)]));
    const bytes = serialize(tensors, { ...file.metadata, ...metadataOf(model.config) }, model);
    await writeFileAtomic(to, bytes);
    const { arch, width, levels, without = [] } = model.config;
    const parameters = model.parameterCount;
    const ablation = without.length > 0 && { without };
    const result = {
      output: to,
      arch,
      width,
      levels,
      ...ablation,
      parameters,
      dtype: options.dtype,
      bytes: bytes.length,
    };
    const network = `${arch}, width ${width}, ${levels} levels${ablation ? `, without ${showParts(without)}` : ""}`;
    printResult(options, result, [`${to}: ${network}, ${tensors.size} tensors, ${bytes.length} bytes`]);
  });
}

type Writer = (tensors: Map<string, HostTensor>, metadata: Record<string, string>, model: Model) => Uint8Array;

function writerFor(path: string): Writer {
  if (path.endsWith(".safetensors")) return serializeSafetensors;
  if (/\.pth(\.tar)?$/.test(path)) return serializePytorch;
  throw new UsageError(`${path}: the output's name must end in .safetensors, .pth or .pth.tar`);
}

function serializePytorch(
  tensors: Map<string, HostTensor>,
  metadata: Record<string, string>,
  { config }: Model,
): Uint8Array {
  const whole = (text = ""): number => (/^\d{1,15}$/.test(text) ? Number(text) : 0);
  const complete = completeStateDict(tensors, config, whole(metadata.step));
  return serializePytorchCheckpoint(complete, { arch: config.arch, epoch: whole(metadata.epoch), metadata });
}

/** Weights of convolutions (four axes) in the type asked for; all else float32, whole numbers as they are. */
function convertTensor(key: string, tensor: HostTensor, dtype: "f32" | "f16"): HostTensor {
  if (tensor.dtype === "I64") return tensor;
  const half = dtype === "f16" && tensor.shape.length === 4 && !key.endsWith("gaussianMask.weight");
  const values = toFloat32(tensor);
  if (half) {
    const tooLarge = values.findIndex((value) => Math.abs(value) >= 65520);
    if (tooLarge >= 0)
      throw new InputError(`${key}: ${values[tooLarge]} does not fit float16; convert with --dtype f32`);
  }
  return fromFloat32(values, tensor.shape, half ? "F16" : "F32");
}
