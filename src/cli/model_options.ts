/** Options that several commands take: which adapter, which weights, and what the weights do not say of themselves. */
import { type Command, Option } from "commander";
import { BLURS, type Blur } from "../model/config.js";
import { loadModel, type Model } from "../model/weights.js";
import { withFileSource } from "../io/file_source.node.js";
import { readWeights, type WeightsFile } from "../io/weights_file.js";

export interface ModelFlags {
  readonly globalSkip?: boolean;
  readonly blur?: Blur;
}

export const withAdapterOption = (command: Command): Command =>
  command.option("--adapter <name>", "auto, gpu, software, bundled, or part of an adapter's name (also S2AM_ADAPTER)");

/** For checkpoints, which do not record them; they win over a safetensors file's metadata. */
export const withModelFlags = (command: Command): Command =>
  command
    .option("--global-skip", "the network's output is added to its input")
    .option("--no-global-skip", "it is not")
    .addOption(new Option("--blur <kind>", "blur of the mask: 5x5 of the published code or 7x7 of the paper").choices(BLURS));

/** commander sets `globalSkip` to true where only its negation is declared beside it; absent means unsaid. */
export function modelFlags(command: Command): ModelFlags {
  const said = command.getOptionValueSource("globalSkip") === "cli";
  const { globalSkip, blur } = command.opts<ModelFlags>();
  return { ...(said && globalSkip !== undefined && { globalSkip }), ...(blur && { blur }) };
}

/** Reads a file of weights and finds its network. */
export async function modelFromFile(path: string, flags: ModelFlags): Promise<{ file: WeightsFile; model: Model }> {
  return withFileSource(path, async (source) => {
    const file = await readWeights(source, path);
    return { file, model: loadModel(file.tensors, file.metadata, flags, path) };
  });
}
