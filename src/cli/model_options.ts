/** Options that several commands take: which adapter, which weights, and what the weights do not say of themselves. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { UsageError } from "../errors.js";
import { assertMemory } from "../gpu/host_memory.node.js";
import { DTYPES, type DType } from "../graph/tensor.js";
import type { ByteSource } from "../io/byte_source.js";
import { checkDigestFile } from "../io/digest_file.node.js";
import { withFileSource } from "../io/file_source.node.js";
import { readWeights, type WeightsFile } from "../io/weights_file.js";
import { BLURS, partsOf, S2AM_PARTS, type S2amPart } from "../model/config.js";
import { loadModel, type Model, type ModelOptions } from "../model/weights.js";

export const KERNEL_KINDS = ["gpu", "software"] as const;
export type KernelKind = (typeof KERNEL_KINDS)[number];

export const withAdapterOption = (command: Command): Command =>
  command.option("--adapter <name>", "auto, gpu, software, bundled, or part of an adapter's name (also S2AM_ADAPTER)");

export const withUnsafeFastOption = (command: Command): Command =>
  command.option(
    "--unsafe-fast",
    "without dawn's validation, bounds checks and clearing of memory: only with weights you trust",
  );

/** For commands that compute on a device: which, by which tables, and how guarded. */
export const withDeviceOptions = (command: Command): Command =>
  withUnsafeFastOption(withAdapterOption(command))
    .option(
      "--tuning <table.json>",
      "choose kernels by this table of s2am tune, before your own and the one in the box",
    )
    .option("--no-tuning", "by no table, for figures that compare (also S2AM_TUNING=off)")
    .addOption(
      new Option(
        "--kernels-for <kind>",
        "take the kernels for a gpu, or for a CPU that poses as one (software), whatever the adapter is",
      ).choices(KERNEL_KINDS),
    );

/** How a network is stored, and on what it runs then. */
export const withDtypeOption = (command: Command): Command =>
  command
    .addOption(
      new Option(
        "--dtype <type>",
        "how weights and activations are stored; f16 takes half the memory, where the adapter has shader-f16",
      )
        .choices(DTYPES)
        .default("f32"),
    )
    .option("--matrix-units", "with --dtype f16: multiply on the GPU's matrix units, an experimental feature of dawn");

/** @throws UsageError for matrix units without f16, which is all they take */
export function checkMatrixOption({ dtype, matrixUnits }: { dtype?: DType; matrixUnits?: boolean }): void {
  if (matrixUnits && dtype !== "f16") throw new UsageError("--matrix-units multiply f16: add --dtype f16");
}

/** `ModelOptions`: for checkpoints, which do not record them; they win over a safetensors file's metadata. */
export const withModelFlags = (command: Command): Command =>
  command
    .option("--global-skip", "the network's output is added to its input")
    .option("--no-global-skip", "it is not")
    .addOption(new Option("--blur <kind>", "blur of the mask: 5x5 of the code or 7x7 of the paper").choices(BLURS))
    .option("--without <parts>", `parts of S2AM it was trained without: ${S2AM_PARTS.join(", ")}, or none`, parseParts);

/** A list as it is typed; what is wrong in it is for others to name. */
export const listOf = (text: string): string[] => (text === "none" ? [] : text.split(",").map((name) => name.trim()));

function parseParts(text: string): S2amPart[] {
  try {
    return partsOf(listOf(text));
  } catch (cause) {
    throw new InvalidArgumentError(`${(cause as Error).message}.`);
  }
}

/** Opens a file of weights; one that memory could not hold is refused before it is read. */
export const withWeights = <T>(path: string, use: (source: ByteSource) => Promise<T>): Promise<T> =>
  withFileSource(path, async (source) => {
    assertMemory(source.size, path);
    await checkDigestFile(source, path);
    return use(source);
  });

/** Reads a file of weights and finds its network. */
export async function modelFromFile(
  path: string,
  { globalSkip, blur, without }: ModelOptions,
): Promise<{ file: WeightsFile; model: Model }> {
  return withWeights(path, async (source) => {
    const file = await readWeights(source, path);
    return { file, model: loadModel(file.tensors, file.metadata, { globalSkip, blur, without }, path) };
  });
}
