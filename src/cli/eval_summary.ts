/** What an evaluation says: means over all pictures and over groups of them, as JSON, as lines and as a table. */
import { MAX_PSNR, type PictureMetrics } from "../image/protocols.js";

export interface Measured {
  readonly name: string;
  /** Of the picture that the mask covers, 0 to 1. */
  readonly share: number;
  /** The composite as it is, and harmonized, against the photograph. */
  readonly before: PictureMetrics;
  readonly after: PictureMetrics;
  /** The kind of change, where it is known. */
  readonly change?: string | undefined;
}

export interface Means {
  readonly pictures: number;
  readonly before: PictureMetrics;
  readonly after: PictureMetrics;
}

/** A group whose mean hides what matters: who is made worse, and how near the farthest is. */
export interface Group extends Means {
  /** Pictures of lower PSNR than before. */
  readonly worse: number;
  /** The least PSNR after. */
  readonly least: number;
}

export interface MeansByShare extends Means {
  readonly byShare: readonly (Means & { readonly foreground: string })[];
}

export interface Summary extends Group, MeansByShare {
  /** Pictures that were at 36 dB or better, not equal, and lose more than 1 dB: harm where there was little to do. */
  readonly harmed: number;
  /** By the composite's PSNR; `equal` are those that need nothing, whose PSNR after tells what was done to them all the same. */
  readonly byStart: readonly (Group & { readonly start: string })[];
  /** By the kind of change, where a manifest tells it. */
  readonly byChange: readonly (Group & { readonly change: string })[];
}

/** The field's groups: foregrounds that cover less than 5 %, less than 15 %, and more of the picture. */
const GROUPS = [
  { foreground: "0-5 %", least: 0, below: 0.05 },
  { foreground: "5-15 %", least: 0.05, below: 0.15 },
  { foreground: "15-100 %", least: 0.15, below: Number.POSITIVE_INFINITY },
] as const;

const STARTS = [
  { start: "below 26 dB", least: Number.NEGATIVE_INFINITY, below: 26 },
  { start: "26-30 dB", least: 26, below: 30 },
  { start: "30-34 dB", least: 30, below: 34 },
  { start: "34-38 dB", least: 34, below: 38 },
  { start: "38 dB on", least: 38, below: MAX_PSNR },
  { start: "equal", least: MAX_PSNR, below: Number.POSITIVE_INFINITY },
] as const;

const GOOD = { psnr: 36, loss: 1 } as const;

const METRICS = ["mse", "psnr", "fmse", "fpsnr", "ssim"] as const;

export function summarize(measured: readonly Measured[]): Summary {
  const byShare = GROUPS.flatMap(({ foreground, least, below }) => {
    const group = measured.filter(({ share }) => share >= least && share < below);
    return group.length > 0 ? [{ foreground, ...meansOf(group) }] : [];
  });
  const byStart = STARTS.flatMap(({ start, least, below }) => {
    const group = measured.filter(({ before }) => before.psnr >= least && before.psnr < below);
    return group.length > 0 ? [{ start, ...groupOf(group) }] : [];
  });
  const changes = [...new Set(measured.flatMap(({ change }) => (change === undefined ? [] : [change])))].sort();
  const byChange = changes.map((change) => ({ change, ...groupOf(measured.filter((one) => one.change === change)) }));
  const harmed = measured.filter(
    ({ before, after }) => before.psnr >= GOOD.psnr && before.psnr < MAX_PSNR && after.psnr < before.psnr - GOOD.loss,
  ).length;
  return { ...groupOf(measured), harmed, byShare, byStart, byChange };
}

const groupOf = (measured: readonly Measured[]): Group => ({
  ...meansOf(measured),
  worse: measured.filter(({ before, after }) => after.psnr < before.psnr).length,
  least: measured.reduce((least, { after }) => Math.min(least, after.psnr), Number.POSITIVE_INFINITY),
});

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

export function summaryLines(summary: Summary): string[] {
  const { before, after, byShare, byStart, byChange, pictures, worse, harmed } = summary;
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
    `worse than before: ${worse} of ${pictures}; of those that began at ${GOOD.psnr} dB or better, ${harmed} by more than ${GOOD.loss} dB`,
    `${"PSNR, dB".padEnd(14)}${["pictures", "before", "after", "worse", "least after"].map((title) => title.padStart(12)).join("")}`,
    ...[...byStart.map(groupLine(({ start }) => start)), ...byChange.map(groupLine(({ change }) => change))],
  ];
}

const groupLine =
  <T extends Group>(title: (group: T) => string) =>
  (group: T): string => {
    const { pictures, before, after, worse, least } = group;
    const cells = [pictures, before.psnr.toFixed(2), after.psnr.toFixed(2), worse, least.toFixed(2)];
    return `${title(group).padEnd(14)}${cells.map((cell) => String(cell).padStart(12)).join("")}`;
  };
