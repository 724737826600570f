/** Axes of the charts: a frame with round ticks, and the way from values to pixels. */
import { escapeXml, px } from "../html/format.js";

export interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Round numbers, four to nine of them in a range. */
function roundTicks(low: number, high: number): number[] {
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10);
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) ticks.push(i * step);
  return ticks;
}

/** @param values what must fit; a range of one value is widened @param start,end in pixels */
export function linearAxis(values: readonly number[], start: number, end: number, margin = 0.04): Axis {
  const finite = values.filter(Number.isFinite);
  const [least, most] = finite.length > 0 ? [Math.min(...finite), Math.max(...finite)] : [0, 1];
  const room = (most - least) * margin || Math.abs(most) * 0.01 || 1;
  const [low, high] = [least - (margin > 0 ? room : 0), Math.max(most, least + 1e-9) + room];
  return { at: (value) => start + ((value - low) / (high - low)) * (end - start), ticks: roundTicks(low, high) };
}

/** Of positive values; ticks at 1, 2 and 5 times powers of ten. */
export function logAxis(values: readonly number[], start: number, end: number): Axis {
  const logs = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
  const [low, high] = logs.length > 0 ? [Math.min(...logs) - 0.03, Math.max(...logs) + 0.03] : [0, 1];
  const at = (value: number): number => start + ((Math.log10(value) - low) / (high - low)) * (end - start);
  const ticks: number[] = [];
  for (let power = Math.floor(low); power <= high; power++) {
    for (const factor of [1, 2, 5]) {
      const log = Math.log10(factor) + power;
      if (log >= low && log <= high) ticks.push(factor * 10 ** power);
    }
  }
  return { at, ticks };
}

/** At most six significant digits, none that says nothing. */
export const tickLabel = (value: number): string => {
  const shown = Number(value.toPrecision(6));
  return Math.abs(shown) >= 1e6 || (shown !== 0 && Math.abs(shown) < 1e-3) ? shown.toExponential() : String(shown);
};

export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Grid, ticks and titles of a panel. Without an x axis its bottom is left to others. */
export function frameOf(
  { left, top, width, height }: Frame,
  title: string,
  x: Axis | null,
  y: Axis,
  below = "",
): string {
  const bottom = top + height;
  const rows = y.ticks.map(
    (tick) =>
      `<line class="grid" x1="${left}" x2="${left + width}" y1="${px(y.at(tick))}" y2="${px(y.at(tick))}"/><text class="tick" x="${left - 7}" y="${px(y.at(tick) + 4)}" text-anchor="end">${tickLabel(tick)}</text>`,
  );
  const columns = (x?.ticks ?? []).map(
    (tick) =>
      `<line class="grid" x1="${px(x?.at(tick) ?? 0)}" x2="${px(x?.at(tick) ?? 0)}" y1="${top}" y2="${bottom}"/><text class="tick" x="${px(x?.at(tick) ?? 0)}" y="${bottom + 17}" text-anchor="middle">${tickLabel(tick)}</text>`,
  );
  const caption =
    below === ""
      ? ""
      : `<text class="tick" x="${left + width}" y="${bottom + 34}" text-anchor="end">${escapeXml(below)}</text>`;
  return `${rows.join("")}${columns.join("")}<text class="title" x="${left}" y="${top - 12}">${escapeXml(title)}</text>${caption}`;
}
