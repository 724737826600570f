/** Means over the pictures, a row a working size, and the table that people read. */
import { bytes, short } from "../../html/format.js";
import type { Failure, Row, Size } from "./measure.js";

export interface SummaryRow {
  readonly size: Size;
  readonly pictures: number;
  readonly psnr: number;
  readonly fpsnr: number;
  readonly fmse: number;
  /** Edge over inside, against the photograph. */
  readonly halo: number;
  /** Against the run at the largest size; null for that itself. */
  readonly largest: { readonly psnr: number; readonly fmse: number; readonly halo: number } | null;
  readonly upsampling: { readonly fpsnr: number; readonly halo: number };
  readonly levels: number;
  readonly flatRun: number;
  readonly stepsApart: number;
  readonly endToEndMs: number;
  readonly modelMs: number;
  /** The most of any picture. */
  readonly peakRssBytes: number;
  readonly peakBufferBytes: number;
}

export interface Report {
  readonly command: string;
  readonly date: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly adapter: string;
  readonly weights: string;
  readonly summary: readonly SummaryRow[];
  readonly rows: readonly Row[];
  readonly failures: readonly Failure[];
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export function summarize(rows: readonly Row[], sizes: readonly Size[]): SummaryRow[] {
  return sizes.flatMap((size) => {
    const of = rows.filter((row) => row.size === size);
    if (of.length === 0) return [];
    const beside = of.flatMap(({ largest }) => largest ?? []);
    const known = (pick: (row: Row) => number): number => mean(of.map(pick).filter((value) => !Number.isNaN(value)));
    return [
      {
        size,
        pictures: of.length,
        psnr: mean(of.map((row) => row.photograph.psnr)),
        fpsnr: mean(of.map((row) => row.photograph.fpsnr)),
        fmse: mean(of.map((row) => row.photograph.fmse)),
        halo: mean(of.map((row) => row.photograph.halo.ratio)),
        largest:
          beside.length === 0
            ? null
            : {
                psnr: mean(beside.map(({ psnr }) => psnr)),
                fmse: mean(beside.map(({ fmse }) => fmse)),
                halo: mean(beside.map(({ halo }) => halo.ratio)),
              },
        upsampling: {
          fpsnr: mean(of.map((row) => row.upsampling.fpsnr)),
          halo: mean(of.map((row) => row.upsampling.halo.ratio)),
        },
        levels: known(({ banding }) => banding.levels),
        flatRun: known(({ banding }) => banding.flatRun),
        stepsApart: known(({ banding }) => banding.stepsApart),
        endToEndMs: mean(of.map((row) => row.endToEndMs)),
        modelMs: mean(of.map((row) => row.modelMs)),
        peakRssBytes: Math.max(...of.map((row) => row.peakRssBytes)),
        peakBufferBytes: Math.max(...of.map((row) => row.peakBufferBytes)),
      },
    ];
  });
}

const COLUMNS: readonly (readonly [title: string, cell: (row: SummaryRow) => string])[] = [
  ["working size", ({ size, pictures }) => `${size} (${pictures})`],
  ["PSNR", ({ psnr }) => psnr.toFixed(2)],
  ["fPSNR", ({ fpsnr }) => fpsnr.toFixed(2)],
  ["fMSE", ({ fmse }) => short(fmse)],
  ["halo", ({ halo }) => halo.toFixed(2)],
  ["PSNR to largest", ({ largest }) => (largest ? largest.psnr.toFixed(2) : "–")],
  ["fMSE to largest", ({ largest }) => (largest ? short(largest.fmse) : "–")],
  ["halo to largest", ({ largest }) => (largest ? largest.halo.toFixed(2) : "–")],
  ["upsampling fPSNR", ({ upsampling }) => upsampling.fpsnr.toFixed(2)],
  ["its halo", ({ upsampling }) => upsampling.halo.toFixed(2)],
  ["levels", ({ levels }) => levels.toFixed(2)],
  ["flat runs", ({ flatRun }) => short(flatRun)],
  ["steps apart", ({ stepsApart }) => short(stepsApart)],
  ["end to end", ({ endToEndMs }) => `${(endToEndMs / 1000).toFixed(1)} s`],
  ["model", ({ modelMs }) => `${short(modelMs)} ms`],
  ["peak RSS", ({ peakRssBytes }) => bytes(peakRssBytes)],
  ["peak buffers", ({ peakBufferBytes }) => bytes(peakBufferBytes)],
];

/** What the columns mean, below the table and on the page. */
export const LEGEND = `Means over the pictures (their number in brackets); peaks are the most of any. The largest size is the
picture's own, or the largest that the device and its memory allow. PSNR, fPSNR (foreground) and fMSE in decibels and squares of
0..255, against the photograph, or against the run at the largest size. Halo: root mean squared error on the mask's edge over that
inside. Upsampling: the photograph itself in the network's place, so that only what carrying colours to full size loses is left.
Banding, next to the run at the largest size (for that itself, to the photograph): distinct levels of a channel, mean length of runs
of one value in smooth gradients, distance (0 to 1) of the histograms of steps from pixel to pixel there. End to end is a process of
its own, from its start to the written file; the model is its second run. Strips show composite, mask, the results by working size
with the largest last, and the photograph; below, a part of the mask's edge.`;

export function markdownOf({ command, date, versions, adapter, weights, summary, failures }: Report): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const facts = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `# Working sizes

${adapter}; ${weights}; ${facts.join(", ")}; ${date.slice(0, 10)}. \`${command}\`

${line(COLUMNS.map(([title]) => title))}
${line(COLUMNS.map(() => "---:"))}
${summary.map((row) => line(COLUMNS.map(([, cell]) => cell(row)))).join("\n")}

${LEGEND}
${failures.map(({ name, pixels, failed }) => `\nLeft out: ${name} at ${pixels}: ${failed}\n`).join("")}`;
}
