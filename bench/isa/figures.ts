/** One row a kernel: what the compiler made of it. */
import { hottestLoop, type Loop } from "./listing.js";
import type { CompiledKernel, UsedKernel } from "./messages.js";
import type { KernelOutput, Statistics } from "./output.js";

export interface KernelFigures extends Statistics {
  readonly shader: string;
  /** What distinguishes it from others of the shader: `TILE_M=128 TILE_N=128`. */
  readonly constants: string;
  /** Dispatches of a run; 0 for what runs once, before the first. */
  readonly uses: number;
  /** Of all of these. */
  readonly workgroups: number;
  /** Its hottest. */
  readonly loop: Omit<Loop, "from" | "to">;
}

/** @throws Error where the driver printed nothing of a kernel */
export function figuresOf(
  kernels: readonly CompiledKernel[],
  used: readonly UsedKernel[],
  outputs: readonly KernelOutput[],
): KernelFigures[] {
  const printed = new Map(outputs.map((output) => [output.id, output]));
  const rows = kernels.map(({ id, shader, constants }) => {
    const { listing = "", statistics = null } = printed.get(id) ?? {};
    if (!statistics || listing === "") throw new Error(`${shader}: the driver printed no listing, or no statistics`);
    const uses = used.filter((use) => use.id === id);
    const workgroups = uses.reduce((sum, use) => sum + use.workgroups, 0);
    const { from: _, to: __, ...loop } = hottestLoop(listing);
    return {
      shader,
      constants: showConstants(constants),
      uses: uses.length,
      workgroups,
      ...statistics,
      loop,
    };
  });
  const name = ({ shader, constants }: KernelFigures): string => `${shader} ${constants}`;
  return rows.sort((a, b) => (name(a) < name(b) ? -1 : 1));
}

export function showConstants(constants: CompiledKernel["constants"]): string {
  const show = (value: number | string): string => (typeof value === "number" ? String(+value.toPrecision(6)) : value);
  return Object.entries(constants)
    .map(([name, value]) => `${name}=${show(value)}`)
    .join(" ");
}

/** Of the loop's vector instructions; null where it multiplies and adds nothing. */
export const multiplyAddShare = ({ loop }: Pick<KernelFigures, "loop">): number | null =>
  loop.multiplyAddInstructions > 0 ? loop.multiplyAddInstructions / loop.vector : null;

export const instructionsPerMultiplyAdd = ({ loop }: Pick<KernelFigures, "loop">): number | null =>
  loop.multiplyAdds > 0 ? loop.instructions / loop.multiplyAdds : null;
