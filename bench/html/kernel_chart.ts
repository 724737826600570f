/** Kernels as bars from their floor to their time: on a logarithmic axis a bar's length is the factor between them. */
import type { KernelRow } from "../kernels.js";
import { escapeXml, milliseconds, px, short } from "./format.js";
import { type LogScale, logScale, tickText } from "./scale.js";

const WIDTH = 1080;
const ROW = 22;
const HEAD = 30;
const EDGE = { left: 372, right: 190, top: 26, bottom: 6 };

export function kernelChart(rows: readonly KernelRow[]): string {
  if (rows.length === 0) return "";
  const scale = logScale(
    rows.flatMap(({ msMedian, floorMs }) => [msMedian, floorMs ?? msMedian]),
    EDGE.left,
    WIDTH - EDGE.right,
  );
  let y = EDGE.top;
  const body: string[] = [];
  for (const [op, group] of groupBy(rows, (row) => row.op)) {
    body.push(`<text class="group" x="0" y="${y + 20}">${escapeXml(op)}</text>`);
    y += HEAD;
    for (const cases of groupBy(group, (row) => row.case).values()) {
      const fastest = Math.min(...cases.map(({ msMedian }) => msMedian));
      for (const row of cases) {
        body.push(bar(row, y, scale, cases.length > 1 && row.msMedian === fastest));
        y += ROW;
      }
      y += cases.length > 1 ? 6 : 0;
    }
  }
  const height = y + EDGE.bottom;
  const grid = scale.ticks.map(
    (tick) =>
      `<line class="grid" x1="${px(scale.at(tick))}" x2="${px(scale.at(tick))}" y1="${EDGE.top - 4}" y2="${height}"/><text class="tick" x="${px(scale.at(tick))}" y="14" text-anchor="middle">${tickText(tick)} ms</text>`,
  );
  return `<div class="scroll"><svg class="chart" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Kernels: time against floor">${grid.join("")}${body.join("\n")}</svg></div>`;
}

function bar(row: KernelRow, y: number, scale: LogScale, best: boolean): string {
  const middle = y + ROW / 2;
  const end = scale.at(row.msMedian);
  const floor = row.floorMs === null ? EDGE.left : scale.at(row.floorMs);
  const [from, to] = [Math.min(floor, end), Math.max(floor, end)];
  const tone = row.bound ?? "plain";
  const title = `${row.kernel} ${row.case}: ${milliseconds(row.msMedian)} (p95 ${milliseconds(row.msP95)}), floor ${row.floorMs === null ? "unknown" : milliseconds(row.floorMs)}, ${short(row.gflops)} GFLOP/s, ${short(row.gbps)} GB/s, ${row.dispatches} dispatches; limit: ${row.limit ?? "unknown"}`;
  const mark =
    row.floorMs === null
      ? ""
      : `<line class="floor" x1="${px(floor)}" x2="${px(floor)}" y1="${px(middle - 7)}" y2="${px(middle + 7)}"/>`;
  const right = WIDTH - EDGE.right;
  return `<g class="row${best ? " best" : ""}"><title>${escapeXml(title)}</title>
<rect class="hit" x="0" y="${y}" width="${WIDTH}" height="${ROW}"/>
<text class="name" x="12" y="${px(middle + 4)}">${escapeXml(row.variant)}</text><text class="case" x="${EDGE.left - 12}" y="${px(middle + 4)}" text-anchor="end">${escapeXml(clipped(row.case, 38))}</text>
<rect class="bar ${tone}" x="${px(from)}" y="${px(middle - 5)}" width="${px(Math.max(1.5, to - from))}" height="10" rx="3"/>${mark}
<circle class="end ${tone}" cx="${px(end)}" cy="${px(middle)}" r="4.5"/>
<text class="value" x="${right + 62}" y="${px(middle + 4)}" text-anchor="end">${short(row.msMedian)}</text><text class="value" x="${right + 108}" y="${px(middle + 4)}" text-anchor="end">${row.percentOfFloor === null ? "" : `${Math.round(row.percentOfFloor)} %`}</text><text class="case" x="${right + 118}" y="${px(middle + 4)}">${escapeXml(clipped(row.limit ?? "", 12))}</text></g>`;
}

const clipped = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

export function groupBy<T>(values: readonly T[], keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    groups.set(key, [...(groups.get(key) ?? []), value]);
  }
  return groups;
}
