/** What tensors tell, and do not tell, of the parts that a network's S2AM lacks. */
import { WeightsError } from "../errors.js";
import type { HostTensor } from "../io/tensor_data.js";
import { ARCHS, type Arch, lacks, type ModelConfig, type S2amPart, showParts } from "./config.js";

type Tensors = ReadonlyMap<string, HostTensor>;

/**
 * The arch of weights that hold no tensor of S2AM: the plain U-Net's, or those of a module that lacks both gates and L.
 * @throws WeightsError where nothing says which
 */
export function archWithoutTensors(
  metadata: Readonly<Record<string, string>>,
  without: readonly S2amPart[],
  name: string,
): Arch {
  if (!lacks({ without }, "gates") || !lacks({ without }, "learned")) return "unet";
  const said = ARCHS.find((arch) => arch === metadata.arch);
  if (said !== undefined && said !== "unet") return said;
  throw new WeightsError(
    `${name}: without gates and learned S2AM has no tensors that tell s2asc from s2ad, and the file's metadata does not ` +
      "say: give the safetensors file of the training, or one that s2am convert made of it",
  );
}

/** A hint for weights of which whole parts are absent, and nobody has said so; else nothing. */
export function absentParts(tensors: Tensors, config: ModelConfig): string {
  const { arch, without = [] } = config;
  if (arch === "unet") return "";
  const has = (pattern: RegExp): boolean => [...tensors.keys()].some((key) => pattern.test(key));
  const gates = !has(/\.attention\.(spliced|background)_attention\./);
  const absent: Readonly<Record<S2amPart, boolean>> = {
    gates,
    mixed: !gates && !has(/\.attention\.mixed_attention\./),
    blur: lacks(config, "blur"),
    learned: !has(/\.attention\.connection\./),
  };
  const parts = (Object.keys(absent) as S2amPart[]).filter((part) => absent[part]);
  // Without its gates, a network's tensors do not tell whether it has the term Gmix(x) = x.
  const same = parts.every((part) => without.includes(part));
  if (same || parts.length === 0) return "";
  return `; they look like weights trained without ${showParts(parts)}: if so, say --without ${showParts(parts)}`;
}

/** Whether the buffers that PyTorch saves are there, but not the blur's: only such a network lacks it. */
export function lacksBlur(tensors: Tensors, { arch }: ModelConfig): boolean {
  const keys = [...tensors.keys()];
  return (
    arch !== "unet" &&
    keys.some((key) => key.endsWith(".num_batches_tracked")) &&
    !keys.some((key) => key.endsWith(".gaussianMask.weight"))
  );
}
