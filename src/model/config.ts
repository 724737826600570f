/** Which network: architecture, size, and the options on which paper and published code differ. */
import { UsageError } from "../errors.js";

export const ARCHS = ["unet", "s2asc", "s2ad"] as const;
/** Plain U-Net; S2AM on the skips (paper, section 3.3); S2AM after the decoder's concatenations. */
export type Arch = (typeof ARCHS)[number];

/** `code`: 5x5 as in the authors' code and published checkpoints. `paper`: the 7x7 of the text. */
export const BLURS = ["code", "paper"] as const;
export type Blur = (typeof BLURS)[number];

export interface ModelConfig {
  readonly arch: Arch;
  /** Channels of the outermost level; 64 in the paper. */
  readonly width: number;
  /** Halvings of the input, whose sides must be multiples of 2^levels; 8 in the paper. */
  readonly levels: number;
  /** y = rgb + net(x) instead of y = net(x): an option of the authors' later code. */
  readonly globalSkip: boolean;
  readonly blur: Blur;
}

export const DEFAULT_CONFIG: ModelConfig = { arch: "s2ad", width: 64, levels: 8, globalSkip: false, blur: "code" };

/** A gate's hidden layer has C // 16 units, and its C is `width` on the first skip, twice that after the concatenation. */
export const MIN_WIDTH: Readonly<Record<Arch, number>> = { unet: 1, s2asc: 16, s2ad: 8 };
/** Three levels carry attention, one lies outside them and one inside. */
export const MIN_LEVELS = 5;
const MAX_LEVELS = 16;

/** @throws UsageError naming the option, its range and what came */
export function checkConfig(config: ModelConfig): ModelConfig {
  const { arch, width, levels, blur } = config;
  if (!ARCHS.includes(arch)) throw new UsageError(`arch must be one of ${ARCHS.join(", ")}, got "${arch}"`);
  if (!BLURS.includes(blur)) throw new UsageError(`blur must be one of ${BLURS.join(", ")}, got "${blur}"`);
  if (!Number.isInteger(width) || width < MIN_WIDTH[arch]) {
    throw new UsageError(
      `${arch} needs a width of at least ${MIN_WIDTH[arch]} channels (a gate's hidden layer has channels / 16 units), got ${width}`,
    );
  }
  if (!Number.isInteger(levels) || levels < MIN_LEVELS || levels > MAX_LEVELS) {
    throw new UsageError(`levels must be an integer from ${MIN_LEVELS} to ${MAX_LEVELS}, got ${levels}`);
  }
  return config;
}

/** Channels at level k's inner side, k = 0 the outermost: width times 1, 2, 4, 8, 8, ... */
export const channelsAt = ({ width }: ModelConfig, k: number): number => width * Math.min(8, 2 ** k);

/** What both sides of the network's input must be multiples of. */
export const sizeMultiple = ({ levels }: ModelConfig): number => 2 ** levels;

/** What a safetensors file says of its network: strings, as the format demands. */
export const metadataOf = ({ arch, width, levels, globalSkip, blur }: ModelConfig): Record<string, string> => ({
  arch,
  width: String(width),
  levels: String(levels),
  global_skip: String(globalSkip),
  blur,
});
