/** The bench as one page that needs no other file: quality, upsampling, time and memory over the working size. */
import { bytes, escapeXml, px, short } from "../../html/format.js";
import { STYLE } from "../../html/style.js";
import { LEGEND, type Report, type SummaryRow } from "./summary.js";

interface Series {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

const [WIDTH, HEIGHT] = [520, 300];
const EDGE = { left: 64, right: 16, top: 16, bottom: 56 };

export function pageOf(report: Report): string {
  const { summary, adapter, command, date, weights } = report;
  const of = (name: string, pick: (row: SummaryRow) => number | null): Series => ({ name, values: summary.map(pick) });
  const decibels = (value: number): string => `${value.toFixed(1)} dB`;
  const charts = [
    chart("Foreground PSNR", report, decibels, [of("against the photograph", ({ fpsnr }) => fpsnr)]),
    chart("Next to the run at the largest size", report, decibels, [
      of("PSNR", ({ largest }) => largest?.psnr ?? null),
    ]),
    chart("Upsampling alone", report, decibels, [of("foreground PSNR", ({ upsampling }) => upsampling.fpsnr)]),
    chart("Halo: error on the edge over error inside, next to", report, short, [
      of("photograph", ({ halo }) => halo),
      of("largest size", ({ largest }) => largest?.halo ?? null),
      of("upsampling", ({ upsampling }) => upsampling.halo),
    ]),
    chart("Banding, next to the run at the largest size", report, short, [
      of("distinct levels", ({ levels, largest }) => largest && levels),
      of("flat runs", ({ flatRun, largest }) => largest && flatRun),
    ]),
    chart("Time", report, (value) => `${short(value)} s`, [
      of("end to end", ({ endToEndMs }) => endToEndMs / 1000),
      of("model", ({ modelMs }) => modelMs / 1000),
    ]),
    chart("Memory", report, bytes, [
      of("process", ({ peakRssBytes }) => peakRssBytes),
      of("the engine's buffers", ({ peakBufferBytes }) => peakBufferBytes),
    ]),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>s2am: working sizes</title>
<style>${STYLE}
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); gap: 0 1.25rem; }
.charts .chart { min-width: 0; }
.series { fill: none; stroke-width: 2; stroke: var(--compute); } .series.s1 { stroke: var(--memory); } .series.s2 { stroke: var(--good); }
.point { fill: var(--compute); } .point.s1 { fill: var(--memory); } .point.s2 { fill: var(--good); }
</style>
</head>
<body><main>
<h1>Working sizes</h1>
<p>${escapeXml(`${adapter}; ${weights}; ${date.slice(0, 16).replace("T", " ")} UTC; ${command}`)}</p>
<p>${escapeXml(LEGEND)}</p>
<div class="charts">${charts.join("\n")}</div>
</main></body>
</html>
`;
}

/** Lines over the working sizes, which stand at equal distances. */
function chart(title: string, { summary }: Report, show: (value: number) => string, series: readonly Series[]): string {
  const values = series.flatMap((one) => one.values.filter((value): value is number => value !== null));
  if (values.length === 0 || !values.every(Number.isFinite)) return "";
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const margin = (most - least || Math.abs(most) || 1) * 0.12;
  const [low, high] = [least >= 0 ? Math.max(0, least - margin) : least - margin, most + margin];
  const x = (i: number): number => EDGE.left + ((i + 0.5) / summary.length) * (WIDTH - EDGE.left - EDGE.right);
  const y = (value: number): number =>
    HEIGHT - EDGE.bottom - ((value - low) / (high - low)) * (HEIGHT - EDGE.top - EDGE.bottom);
  const grid = [0, 1, 2, 3, 4].map((k) => {
    const value = low + (k / 4) * (high - low);
    return `<line class="grid" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${px(y(value))}" y2="${px(y(value))}"/><text class="tick" x="${EDGE.left - 6}" y="${px(y(value) + 4)}" text-anchor="end">${escapeXml(show(value))}</text>`;
  });
  const names = summary.map(
    ({ size }, i) =>
      `<text class="tick" x="${px(x(i))}" y="${HEIGHT - EDGE.bottom + 18}" text-anchor="middle">${size}</text>`,
  );
  const lines = series.map((one, s) => {
    const known = one.values.flatMap((value, i) => (value === null ? [] : [{ value, i }]));
    const path = known.map(({ value, i }) => `${px(x(i))},${px(y(value))}`).join(" ");
    const points = known.map(
      ({ value, i }) =>
        `<circle class="point s${s}" cx="${px(x(i))}" cy="${px(y(value))}" r="4"><title>${escapeXml(`${one.name}, ${summary[i]?.size}: ${show(value)}`)}</title></circle>`,
    );
    return `<polyline class="series s${s}" points="${path}"/>${points.join("")}`;
  });
  const key = series.map(
    (one, s) =>
      `<circle class="point s${s}" cx="${EDGE.left + 170 * s}" cy="${HEIGHT - 12}" r="4"/><text class="tick" x="${EDGE.left + 170 * s + 9}" y="${HEIGHT - 8}">${escapeXml(one.name)}</text>`,
  );
  return `<section><h2>${escapeXml(title)}</h2><svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeXml(title)}">${grid.join("")}${names.join("")}${lines.join("")}${key.join("")}</svg></section>`;
}
