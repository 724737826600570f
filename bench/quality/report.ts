/** What a comparison came to, in words and tables that follow from the figures alone. */
import {
  type AtEqualTime,
  atEqualTime,
  type Difference,
  differenceOf,
  type Figure,
  type Figures,
  figuresOf,
  METRICS,
  type Output,
  type Row,
  ranked,
  remarksOf,
  rowsOf,
} from "./aggregate.js";
import {
  PAPER_ABLATED_ARCH,
  PAPER_ABLATION_BASE,
  PAPER_COMPOSITES,
  type PaperRow,
  paperAblation,
  paperRow,
} from "./paper.js";
import type { RunRecord } from "./record.js";
import { titleOf, type Variant } from "./variants.js";

export interface Report {
  readonly rows: readonly Row[];
  /** The composites as they are. */
  readonly composites: Figures;
  /** Of the whole networks, each from the next lower one. */
  readonly differences: Readonly<Record<Output, readonly Difference[]>>;
  /** Of the ablated networks, each from its whole one. */
  readonly ablations: Readonly<Record<Output, readonly Difference[]>>;
  readonly equalTime: readonly AtEqualTime[];
  readonly remarks: readonly string[];
}

export const isWhole = ({ without, levels }: Variant): boolean => without.length === 0 && levels === undefined;

/** @param expected names of the runs that were asked for */
export function reportOf(records: readonly RunRecord[], expected: readonly string[]): Report {
  const rows = rowsOf(records);
  const whole = rows.filter(({ variant }) => isWhole(variant));
  const ablated = rows.filter(({ variant }) => !isWhole(variant));
  const both = <T>(of: (output: Output) => T): Record<Output, T> => ({ whole: of("whole"), pasted: of("pasted") });
  return {
    rows,
    composites: figuresOf(records.slice(0, 1).map((record) => record.whole.before)),
    differences: both((output) => {
      const order = ranked(whole, output);
      return order.flatMap((row, i) => {
        const next = order[i + 1];
        return next ? [differenceOf(row, next, output, records)] : [];
      });
    }),
    ablations: both((output) =>
      ablated.flatMap((row) => {
        const base = whole.find(({ variant }) => variant.arch === row.variant.arch);
        return base ? [differenceOf(row, base, output, records)] : [];
      }),
    ),
    equalTime: atEqualTime(whole, records),
    remarks: remarksOf(records, expected),
  };
}

/** @param about what stands at the head: command, date, adapter, data */
export function markdownOf(
  report: Report,
  records: readonly RunRecord[],
  about: Readonly<Record<string, string>>,
): string {
  const [first] = records;
  if (!first) throw new Error("a report of no runs");
  const { budget, whole } = first;
  const { rows } = report;
  const [plain, ablated] = [rows.filter((row) => isWhole(row.variant)), rows.filter((row) => !isWhole(row.variant))];
  const facts = Object.entries(about).map(([name, value]) => `- ${name}: ${value}`);
  const lines = [
    "# The paper's tables in miniature",
    "",
    `Equal budgets: ${budget.steps} steps of ${budget.batch} pictures of ${budget.size} x ${budget.size}, width ${budget.width}, ${budget.levels} levels, ` +
      `loss ${budget.loss}, Adam ${budget.lr} falling along a cosine, average of the weights ${budget.ema}, global skip; the same pictures in the same order for the same seed. ` +
      `Measured on ${whole.pictures} validation pictures at ${budget.evalSize} x ${budget.evalSize}, the averaged weights of the last step; mean ± standard deviation over the seeds.`,
    "",
    ...facts,
    ...report.remarks.map((remark) => `- **${remark}**`),
    "",
    "The paper's figures are of other pictures (S-COCO), 256 x 256, 64 base channels and 80 epochs: compare orders and differences, not heights.",
    "",
  ];
  if (plain.length > 0) {
    lines.push("## Architectures (Table 1)", "", ...orderLines(report, plain), "", ...archTable(report, plain), "");
    lines.push(...equalTimeLines(report.equalTime, plain), "");
  }
  if (ablated.length > 0) {
    const order = rows.filter(({ variant }) => ablated.some((row) => row.variant.arch === variant.arch));
    const shown = order.filter(({ variant }) => !isWhole(variant) || plain.some((row) => row.variant === variant));
    lines.push("## Ablations (Table 4)", "", ...ablationLines(report), "", ...ablationTable(shown), "");
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

export const showFigure = ({ mean, deviation }: Figure, digits: number): string =>
  Number.isNaN(mean) ? "–" : `${mean.toFixed(digits)}${deviation === null ? "" : ` ± ${deviation.toFixed(digits)}`}`;

const DIGITS = { psnr: 2, ssim: 4, mse: 2, wrappedMse: 2, fmse: 1 } as const;
const HEADS = {
  psnr: "PSNR, dB",
  ssim: "SSIM",
  mse: "MSE",
  wrappedMse: "MSE, wrapped at 256",
  fmse: "MSE of the foreground",
};
const OUTPUTS = { whole: "the network's whole output", pasted: "pasted back" } as const;

const signed = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;

function showDifference({ psnr, spread, exceeds, common, higher }: Difference): string {
  if (exceeds === null || spread === null) {
    return `${signed(psnr)} dB; from one seed, so that nothing tells chance from more`;
  }
  const seeds = common > 0 ? `, higher in ${higher} of ${common} seeds` : "";
  return `${signed(psnr)} dB, ${exceeds ? "more" : "no more"} than the seeds' spread of ${spread.toFixed(2)}${seeds}`;
}

function orderLines({ rows, differences }: Report, plain: readonly Row[]): string[] {
  const title = (name: string): string => {
    const row = rows.find(({ variant }) => variant.name === name);
    return row ? titleOf(row.variant) : name;
  };
  const archs = (order: readonly Row[]): string => order.map(({ variant }) => variant.arch).join();
  const paper = [...plain].sort(
    (a, b) => (paperRow(b.variant, false)?.psnr ?? 0) - (paperRow(a.variant, false)?.psnr ?? 0),
  );
  return (["whole", "pasted"] as const).map((output) => {
    const order = ranked(plain, output);
    const shown = order.map((row) => `${titleOf(row.variant)} ${showFigure(row[output].psnr, 2)} dB`).join(", ");
    const steps = differences[output].map(
      (one) => `${title(one.name)} over ${title(one.from)}: ${showDifference(one)}`,
    );
    const same =
      archs(order) === archs(paper)
        ? "The paper has the same order."
        : "The paper has another order: " +
          `${paper.map(({ variant }) => `${titleOf(variant)} ${paperRow(variant, false)?.psnr.toFixed(2)}`).join(", ")}.`;
    return `- By PSNR of ${output === "whole" ? OUTPUTS.whole : "what is pasted back"}: ${[shown, ...steps].join(". ")}.${plain.length > 1 ? ` ${same}` : ""}`;
  });
}

const head = (names: readonly string[]): string[] => [
  `| ${names.join(" | ")} |`,
  `|---|${names
    .slice(1)
    .map(() => "--:|")
    .join("")}`,
];
const line = (cells: readonly (string | number)[]): string => `| ${cells.join(" | ")} |`;
const paperCell = (row: PaperRow | null): string =>
  row ? `${row.psnr.toFixed(2)}, ${row.ssim.toFixed(4)}, ${row.mse.toFixed(2)}` : "–";
const figureCells = (figures: Figures): string[] =>
  METRICS.map((metric) => showFigure(figures[metric], DIGITS[metric]));

/** A line for each output of each network. @param paper what it reports of that output, in the last column */
function table(
  rows: readonly Row[],
  first: readonly string[],
  title: string,
  paper: (row: Row, output: Output) => PaperRow | null,
): string[] {
  const names = ["network", "output", "seeds", "parameters", "ms a step", ...METRICS.map((metric) => HEADS[metric])];
  const lines = rows.flatMap((row) =>
    (["whole", "pasted"] as const).map((output) =>
      line([
        titleOf(row.variant),
        OUTPUTS[output],
        row.seeds.length,
        row.parameters.toLocaleString("en-US"),
        row.stepMs.toFixed(0),
        ...figureCells(row[output]),
        paperCell(paper(row, output)),
      ]),
    ),
  );
  return [...head([...names, `${title}: PSNR, SSIM, wrapped MSE`]), ...first, ...lines];
}

function archTable({ composites }: Report, plain: readonly Row[]): string[] {
  const before = ["composites as they are", "", "", "", "", ...figureCells(composites), paperCell(PAPER_COMPOSITES)];
  return table(plain, [line(before)], "paper", ({ variant }, output) => paperRow(variant, output === "pasted"));
}

function equalTimeLines(equalTime: readonly AtEqualTime[], plain: readonly Row[]): string[] {
  if (plain.length < 2) return [];
  const cells = equalTime.map(({ name, steps, validation }) => {
    const row = plain.find(({ variant }) => variant.name === name);
    const found = validation ? `${validation.psnr.toFixed(2)} dB at step ${validation.step}` : "not validated by then";
    return `${row ? titleOf(row.variant) : name} had taken ${steps} steps (${found})`;
  });
  return [
    `At equal time: when the fastest network's training was over, ${cells.join("; ")}. These are the training's own validation pictures, pasted back, ` +
      "and the rate of a run cut short has not fallen yet: a run planned for fewer steps ends higher.",
  ];
}

function ablationLines({ rows, ablations }: Report): string[] {
  return ablations.whole.flatMap((difference, i) => {
    const row = rows.find(({ variant }) => variant.name === difference.name);
    const pasted = ablations.pasted[i];
    if (!row || !pasted) return [];
    const paper = paperAblation(row.variant);
    const said = paper
      ? ` The paper, of ${PAPER_ABLATED_ARCH.toUpperCase()}: ${signed(paper.psnr - PAPER_ABLATION_BASE.psnr)} dB.`
      : "";
    return [
      `- ${titleOf(row.variant)}: whole output ${showDifference(difference)}; pasted back ${showDifference(pasted)}.${said}`,
    ];
  });
}

function ablationTable(rows: readonly Row[]): string[] {
  return table(rows, [], `paper's ${PAPER_ABLATED_ARCH.toUpperCase()}`, ({ variant }, output) => {
    if (output === "pasted") return null;
    return isWhole(variant) ? PAPER_ABLATION_BASE : paperAblation(variant);
  });
}
