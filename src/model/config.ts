/** Which network: architecture, size, and the options on which paper and published code differ. */
import { UsageError } from "../errors.js";

export const ARCHS = ["unet", "s2asc", "s2ad"] as const;
/** Plain U-Net; S2AM on the skips (paper, section 3.3); S2AM after the decoder's concatenations. */
export type Arch = (typeof ARCHS)[number];

/** `code`: 5x5 as in the authors' code and published checkpoints. `paper`: the 7x7 of the text. */
export const BLURS = ["code", "paper"] as const;
export type Blur = (typeof BLURS)[number];

/** What an ablation may leave out of S2AM (paper, section 4.5.2 and Table 4), in this order wherever it is named. */
export const S2AM_PARTS = ["gates", "mixed", "blur", "learned"] as const;
/**
 * `gates`: the channel gates G, each then the identity. `mixed`: the term Gmix(x). `blur`: the mask's Gaussian; the mask
 * stays hard. `learned`: the learnable block L, then the identity.
 */
export type S2amPart = (typeof S2AM_PARTS)[number];

export interface ModelConfig {
  readonly arch: Arch;
  /** Channels of the outermost level; 64 in the paper. */
  readonly width: number;
  /** Halvings of the input, whose sides must be multiples of 2^levels; 8 in the paper. */
  readonly levels: number;
  /** y = rgb + net(x) instead of y = net(x): an option of the authors' later code. */
  readonly globalSkip: boolean;
  readonly blur: Blur;
  /** Parts that S2AM lacks, and their parameters with them; in the published networks none. */
  readonly without?: readonly S2amPart[] | undefined;
}

export const DEFAULT_CONFIG: ModelConfig = { arch: "s2ad", width: 64, levels: 8, globalSkip: false, blur: "code" };

/** A gate's hidden layer has C // 16 units, and its C is `width` on the first skip, twice that after the concatenation. */
export const MIN_WIDTH: Readonly<Record<Arch, number>> = { unet: 1, s2asc: 16, s2ad: 8 };
/** Three levels carry attention, one lies outside them and one inside. */
export const MIN_LEVELS = 5;
const MAX_LEVELS = 16;

export const lacks = ({ without = [] }: Pick<ModelConfig, "without">, part: S2amPart): boolean =>
  without.includes(part);

/** Parts in their order, each once. @throws UsageError for a name that is none, or a list that leaves nothing of S2AM */
export function partsOf(names: readonly string[]): S2amPart[] {
  const unknown = names.find((name) => !S2AM_PARTS.some((part) => part === name));
  if (unknown !== undefined) {
    throw new UsageError(`without must name parts of S2AM (${S2AM_PARTS.join(", ")}), got "${unknown}"`);
  }
  const parts = S2AM_PARTS.filter((part) => names.includes(part));
  if ((["gates", "mixed", "learned"] as const).every((part) => parts.includes(part))) {
    throw new UsageError(
      `without ${parts.join(", ")} S2AM is the identity: that network is arch unet; leave out fewer parts`,
    );
  }
  return parts;
}

/** Metadata's and messages' form of a list of parts. */
export const showParts = (parts: readonly S2amPart[]): string => (parts.length > 0 ? parts.join(",") : "none");

/** @throws UsageError naming the option, its range and what came */
export function checkConfig(config: ModelConfig): ModelConfig {
  const { arch, width, levels, blur, without = [] } = config;
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
  const parts = partsOf(without);
  if (parts.length > 0 && arch === "unet") {
    throw new UsageError(`unet has no S2AM to leave out ${showParts(parts)} of: give arch s2asc or s2ad, or no parts`);
  }
  if (parts.includes("blur") && blur !== "code") {
    throw new UsageError(`blur "${blur}" says how the mask is blurred, without blur it is not: give one of the two`);
  }
  return config;
}

/** Channels at level k's inner side, k = 0 the outermost: width times 1, 2, 4, 8, 8, ... */
export const channelsAt = ({ width }: ModelConfig, k: number): number => width * Math.min(8, 2 ** k);

/** What both sides of the network's input must be multiples of. */
export const sizeMultiple = ({ levels }: ModelConfig): number => 2 ** levels;

/** What a safetensors file says of its network: strings, as the format demands. `without` is there only in ablated ones. */
export const metadataOf = ({
  arch,
  width,
  levels,
  globalSkip,
  blur,
  without = [],
}: ModelConfig): Record<string, string> => ({
  arch,
  width: String(width),
  levels: String(levels),
  global_skip: String(globalSkip),
  blur,
  ...(without.length > 0 && { without: showParts(without) }),
});
