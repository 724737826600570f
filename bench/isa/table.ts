/** The figures as a table for people. */
import { type KernelFigures, multiplyAddShare } from "./figures.js";
import type { FamilyRecord } from "./record.js";

interface Column {
  readonly name: string;
  show(row: KernelFigures): string;
}

const loop =
  (name: keyof KernelFigures["loop"]) =>
  ({ loop: found }: KernelFigures): string =>
    String(found[name]);

const COLUMNS: readonly Column[] = [
  { name: "uses", show: ({ uses }) => String(uses) },
  { name: "groups", show: ({ workgroups }) => String(workgroups) },
  { name: "VGPR", show: ({ vgprs }) => String(vgprs) },
  { name: "SGPR", show: ({ sgprs }) => String(sgprs) },
  { name: "spills", show: ({ spilledVgprs, spilledSgprs }) => String(spilledVgprs + spilledSgprs) },
  { name: "scratch", show: ({ scratch }) => String(scratch) },
  { name: "LDS", show: ({ lds }) => String(lds) },
  { name: "waves", show: ({ waves }) => String(waves) },
  { name: "code", show: ({ codeBytes }) => String(codeBytes) },
  { name: "| loop", show: ({ loop: { instructions, whole } }) => `${instructions}${whole ? "*" : ""}` },
  { name: "m-adds", show: loop("multiplyAdds") },
  { name: "vector", show: loop("vector") },
  { name: "lds", show: loop("lds") },
  { name: "memory", show: loop("memory") },
  { name: "scalar", show: loop("scalar") },
  { name: "div", show: loop("divisions") },
  { name: "mul", show: loop("multiplications") },
  { name: "matrix", show: loop("matrix") },
  { name: "share", show: (row) => multiplyAddShare(row)?.toFixed(2) ?? "" },
];

export const LEGEND = [
  "groups: workgroups of all uses; waves: subgroups a SIMD holds at once (on RDNA one of 64 threads counts as two); code in bytes.",
  "Of the hottest loop (* of the whole kernel, where its work is in none): instructions without waits and hints, multiply-adds, vector,",
  "  workgroup memory, buffer and scalar instructions, integer divisions and multiplications (at a quarter of the rate), matrix",
  "  products; share: of the vector instructions, that multiply and add.",
];

export function tableOf({ family, card, kernels }: FamilyRecord): string[] {
  const names = kernels.map((row) => nameIn(kernels, row));
  const width = Math.max(6, ...names.map((name) => name.length)) + 1;
  const widths = COLUMNS.map(({ name, show }) => Math.max(name.length, ...kernels.map((row) => show(row).length)) + 2);
  const line = (first: string, cells: readonly string[]): string =>
    first.padEnd(width) + cells.map((cell, i) => cell.padStart(widths[i] ?? 0)).join("");
  return [
    `${family} (${card}), ${kernels.length} kernels`,
    line(
      "kernel",
      COLUMNS.map(({ name }) => name),
    ),
    ...kernels.map((row, i) =>
      line(
        names[i] ?? "",
        COLUMNS.map(({ show }) => show(row)),
      ),
    ),
  ];
}

/** The shader, and of its constants those that differ among the shader's kernels. */
export function nameIn(kernels: readonly KernelFigures[], { shader, constants }: KernelFigures): string {
  const others = kernels.filter((row) => row.shader === shader && row.constants !== constants);
  if (others.length === 0) return shader;
  const special = constants
    .split(" ")
    .filter((constant) => others.some((other) => !other.constants.split(" ").includes(constant)));
  return [shader, ...special].join(" ");
}
