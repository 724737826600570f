/** What an evaluation says: means over all pictures and by the foreground's share, as JSON, as lines and as a table. */
import type { PictureMetrics } from "../image/protocols.js";

export interface Measured {
  readonly name: string;
  /** Of the picture that the mask covers, 0 to 1. */
  readonly share: number;
  /** The composite as it is, and harmonized, against the photograph. */
  readonly before: PictureMetrics;
  readonly after: PictureMetrics;
}

export interface Means {
  readonly pictures: number;
  readonly before: PictureMetrics;
  readonly after: PictureMetrics;
}

export interface Summary extends Means {
  readonly byShare: readonly (Means & { readonly foreground: string })[];
}

/** The field's groups: foregrounds that cover less than 5 %, less than 15 %, and more of the picture. */
const GROUPS = [
  { foreground: "0-5 %", least: 0, below: 0.05 },
  { foreground: "5-15 %", least: 0.05, below: 0.15 },
  { foreground: "15-100 %", least: 0.15, below: Number.POSITIVE_INFINITY },
] as const;

const METRICS = ["mse", "psnr", "fmse", "fpsnr", "ssim"] as const;

export function summarize(measured: readonly Measured[]): Summary {
  const byShare = GROUPS.flatMap(({ foreground, least, below }) => {
    const group = measured.filter(({ share }) => share >= least && share < below);
    return group.length > 0 ? [{ foreground, ...meansOf(group) }] : [];
  });
  return { ...meansOf(measured), byShare };
}

function meansOf(measured: readonly Measured[]): Means {
  return {
    pictures: measured.length,
    before: mean(measured.map(({ before }) => before)),
    after: mean(measured.map(({ after }) => after)),
  };
}

function mean(all: readonly PictureMetrics[]): PictureMetrics {
  // An empty mask leaves the foreground's figures undefined; the others still count.
  const over = (pick: (one: PictureMetrics) => number | undefined): number => {
    const known = all.map(pick).filter((value) => value !== undefined && !Number.isNaN(value)) as number[];
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  };
  const wrapped = over((one) => one.wrappedMse);
  return {
    mse: over((one) => one.mse),
    psnr: over((one) => one.psnr),
    fmse: over((one) => one.fmse),
    fpsnr: over((one) => one.fpsnr),
    ssim: over((one) => one.ssim),
    ...(!Number.isNaN(wrapped) && { wrappedMse: wrapped }),
  };
}

/** A row a picture. */
export function csvOf(measured: readonly Measured[]): string {
  const wrapped = measured.some(({ before }) => before.wrappedMse !== undefined);
  const metrics = [...METRICS, ...(wrapped ? (["wrappedMse"] as const) : [])];
  const header = ["name", "share", ...metrics.flatMap((metric) => [`${metric}_before`, `${metric}_after`])];
  const rows = measured.map(({ name, share, before, after }) => [
    quoted(name),
    share,
    ...metrics.flatMap((metric) => [before[metric], after[metric]]),
  ]);
  return [header, ...rows].map((row) => `${row.join(",")}\n`).join("");
}

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const DIGITS = { mse: 2, psnr: 2, fmse: 2, fpsnr: 2, ssim: 4, wrappedMse: 2 } as const;
const TITLES = {
  psnr: "PSNR, dB",
  mse: "MSE",
  wrappedMse: "MSE, wrapped at 256",
  fpsnr: "PSNR of the foreground, dB",
  fmse: "MSE of the foreground",
  ssim: "SSIM",
} as const;

export function summaryLines({ before, after, byShare }: Summary): string[] {
  const shown = (metrics: PictureMetrics, metric: keyof typeof DIGITS): string =>
    (metrics[metric] ?? Number.NaN).toFixed(DIGITS[metric]).padStart(12);
  const titles = (Object.keys(TITLES) as (keyof typeof TITLES)[]).filter((metric) => before[metric] !== undefined);
  const groups = ["psnr", "mse", "fmse"] as const;
  return [
    `${"".padEnd(28)}${"composites".padStart(12)}${"harmonized".padStart(12)}`,
    ...titles.map((metric) => `${TITLES[metric].padEnd(28)}${shown(before, metric)}${shown(after, metric)}`),
    `${"foreground".padEnd(12)}${"pictures".padStart(9)}${groups.map((metric) => TITLES[metric].slice(0, 22).padStart(24)).join("")}`,
    ...byShare.map(
      (group) =>
        `${group.foreground.padEnd(12)}${String(group.pictures).padStart(9)}${groups.map((metric) => shown(group.before, metric) + shown(group.after, metric)).join("")}`,
    ),
  ];
}
