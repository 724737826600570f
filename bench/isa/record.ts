/** The files under bench/results/isa/: one a workload, one line a kernel, so that a change reads as a diff. */
import * as v from "valibot";
import { InputError } from "../../src/errors.js";
import type { CompiledFamily } from "./compile.js";
import type { KernelFigures } from "./figures.js";
import type { Workload } from "./workload.js";

export interface FamilyRecord {
  readonly family: string;
  readonly card: string;
  readonly kernels: readonly KernelFigures[];
}

export interface IsaRecord {
  readonly command: string;
  readonly date: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly workload: Workload;
  readonly families: readonly FamilyRecord[];
}

const KERNEL_COLUMNS = [
  "shader",
  "constants",
  "uses",
  "workgroups",
  "vgprs",
  "sgprs",
  "spilledVgprs",
  "spilledSgprs",
  "scratch",
  "lds",
  "waves",
  "codeBytes",
  "lanes",
] as const satisfies readonly (keyof KernelFigures)[];
const LOOP_COLUMNS = [
  "instructions",
  "multiplyAdds",
  "multiplyAddInstructions",
  "vector",
  "lds",
  "ldsBytes",
  "memory",
  "memoryBytes",
  "scalar",
  "divisions",
  "multiplications",
  "transcendental",
  "matrix",
] as const satisfies readonly (keyof KernelFigures["loop"])[];
const COLUMNS = [...KERNEL_COLUMNS, ...LOOP_COLUMNS.map((name) => `loop.${name}`), "loop.whole"];

export const familyRecord = ({ family, figures }: CompiledFamily): FamilyRecord => ({
  family: family.name,
  card: family.card,
  kernels: figures,
});

export function serializeRecord({ families, ...head }: IsaRecord): string {
  const row = (figures: KernelFigures): string => {
    const own = KERNEL_COLUMNS.map((name) => figures[name]);
    return JSON.stringify([...own, ...LOOP_COLUMNS.map((name) => figures.loop[name]), figures.loop.whole]);
  };
  const shown = families.map(
    ({ family, card, kernels }) =>
      `    {\n      ${JSON.stringify({ family, card }).slice(1, -1)},\n      "kernels": [\n        ${kernels.map(row).join(",\n        ")}\n      ]\n    }`,
  );
  const fields = Object.entries({ ...head, columns: COLUMNS }).map(
    ([name, value]) => `  ${JSON.stringify(name)}: ${JSON.stringify(value)},`,
  );
  return `{\n${fields.join("\n")}\n  "families": [\n${shown.join(",\n")}\n  ]\n}\n`;
}

const count = v.pipe(v.number(), v.minValue(0));
const RecordFile = v.looseObject({
  command: v.string(),
  date: v.string(),
  versions: v.record(v.string(), v.string()),
  workload: v.object({
    arch: v.picklist(["unet", "s2asc", "s2ad"]),
    width: count,
    levels: count,
    size: count,
    batch: count,
    dtype: v.picklist(["f32", "f16"]),
    train: v.boolean(),
    matrixUnits: v.boolean(),
    weights: v.nullable(v.string()),
  }),
  columns: v.array(v.string()),
  families: v.array(
    v.looseObject({
      family: v.string(),
      card: v.string(),
      kernels: v.array(v.array(v.union([v.string(), count]))),
    }),
  ),
});

const EXPECTED = "expected a file that npm run bench:isa -- --json wrote";

/** @throws InputError naming the file, and what is wrong with it */
export function parseRecord(text: string, file: string): IsaRecord {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${file}: not JSON (${(cause as Error).message}): ${EXPECTED}`, { cause });
  }
  const parsed = v.safeParse(RecordFile, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new InputError(`${file}: ${v.getDotPath(issue) ?? "the document"}: ${issue.message}: ${EXPECTED}`);
  }
  const { command, date, versions, workload, columns, families } = parsed.output;
  const missing = COLUMNS.find((name) => !columns.includes(name));
  if (missing !== undefined) throw new InputError(`${file}: columns lack "${missing}": ${EXPECTED}`);
  return {
    command,
    date,
    versions,
    workload,
    families: families.map(({ family, card, kernels }) => ({
      family,
      card,
      kernels: kernels.map((cells) => parseRow(new Map(cells.map((cell, i) => [columns[i] ?? "", cell])), file)),
    })),
  };
}

function parseRow(cells: ReadonlyMap<string, string | number>, file: string): KernelFigures {
  const text = (name: string): string => String(cells.get(name) ?? "");
  const number = (name: string): number => {
    const value = cells.get(name);
    if (typeof value === "number") return value;
    throw new InputError(`${file}: ${text("shader")}: ${name} must be a number, got ${value}: ${EXPECTED}`);
  };
  const numbers = <Name extends string>(names: readonly Name[], prefix = ""): Record<Name, number> =>
    Object.fromEntries(names.map((name) => [name, number(prefix + name)])) as Record<Name, number>;
  const [, , ...counted] = KERNEL_COLUMNS;
  return {
    shader: text("shader"),
    constants: text("constants"),
    ...numbers(counted),
    loop: { ...numbers(LOOP_COLUMNS, "loop."), whole: cells.get("loop.whole") === 1 ? 1 : 0 },
  };
}
