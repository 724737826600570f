/** The networks that are compared: the paper's three, and its ablations. */
import { UsageError } from "../../src/errors.js";
import { ARCHS, type Arch, partsOf, S2AM_PARTS, type S2amPart } from "../../src/model/config.js";

export interface Variant {
  /** What folders and tables call it; a name tells its network. */
  readonly name: string;
  readonly arch: Arch;
  /** Parts that S2AM lacks. */
  readonly without: readonly S2amPart[];
  /** Halvings, where they are others than the comparison's. */
  readonly levels?: number;
}

const LEVELS = /^levels=(\d+)$/;

export const wholeNetwork = (arch: Arch): Variant => ({ name: arch, arch, without: [] });

/** @param text archs separated by commas */
export function parseArchs(text: string): Arch[] {
  const names = text.split(",").map((name) => name.trim());
  const wrong = names.find((name) => !ARCHS.some((arch) => arch === name));
  if (wrong !== undefined) throw new UsageError(`--archs: expected some of ${ARCHS.join(", ")}, got "${wrong}"`);
  return ARCHS.filter((arch) => names.includes(arch));
}

/**
 * @param text ablations separated by commas: a part, parts joined by `+`, or `levels=N`; `none` for none
 * @param arch of the networks that parts are left out of
 */
export function parseAblations(text: string, arch: Arch): Variant[] {
  if (text === "none") return [];
  if (arch === "unet") throw new UsageError("--ablation-arch: unet has no S2AM to leave parts out of");
  const variants = text.split(",").map((item) => ablation(item.trim(), arch));
  return variants.filter(({ name }, i) => variants.findIndex((other) => other.name === name) === i);
}

function ablation(text: string, arch: Arch): Variant {
  const [, levels] = LEVELS.exec(text) ?? [];
  if (levels !== undefined) return { name: `${arch}-levels-${levels}`, arch, without: [], levels: Number(levels) };
  const names = text.split("+");
  if (names.some((name) => !S2AM_PARTS.some((part) => part === name))) {
    throw new UsageError(
      `--ablations: expected some of ${S2AM_PARTS.join(", ")}, several at once as gates+mixed, or levels=N, got "${text}"`,
    );
  }
  const without = partsOf(names);
  return { name: `${arch}-without-${without.join("-")}`, arch, without };
}

const ARCH_TITLES: Readonly<Record<Arch, string>> = { unet: "U-Net", s2asc: "U-Net + S2ASC", s2ad: "U-Net + S2AD" };

/** The paper's names. */
export function titleOf({ arch, without, levels }: Variant): string {
  const lacking = without.length > 0 ? ` without ${without.join(", ")}` : "";
  return `${ARCH_TITLES[arch]}${lacking}${levels === undefined ? "" : `, ${levels} levels`}`;
}
