/** Curves and final figures of a comparison as one SVG that needs nothing else. */
import { escapeXml, px } from "../html/format.js";
import type { Output } from "./aggregate.js";
import { type Axis, type Frame, frameOf, linearAxis, logAxis } from "./axes.js";
import type { RunRecord } from "./record.js";
import { titleOf, type Variant } from "./variants.js";

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Series {
  readonly variant: Variant;
  /** Of the palette. */
  readonly colour: number;
  readonly runs: readonly RunRecord[];
}

const WIDTH = 1080;
const PANEL = { width: 440, height: 250 };
const [COLUMNS, TOP, ROW] = [[70, 610], 74, 340] as const;
const FEWEST_VALIDATIONS = 4;
/** Lines of the legend hold so many names. */
const NAMES_A_LINE = 3;

/** @param variants which of the records' networks, in the order of their colours */
export function chartOf(records: readonly RunRecord[], variants: readonly Variant[], title: string): string {
  const series = variants
    .map((variant, colour): Series => {
      const runs = records.filter((record) => record.variant.name === variant.name);
      return { variant, colour, runs };
    })
    .filter(({ runs }) => runs.length > 0);
  const legendLines = Math.ceil(series.length / NAMES_A_LINE);
  const top = TOP + 20 * legendLines;
  const frame = (column: number, row: number): Frame => ({
    left: COLUMNS[column] ?? 0,
    top: top + row * ROW,
    ...PANEL,
  });
  const loss = (run: RunRecord): Point[] => run.curves.loss.map((point) => ({ x: point.step, y: point.loss }));
  const validation = (run: RunRecord): Point[] => run.curves.validation.map(({ step, psnr }) => ({ x: step, y: psnr }));
  const byTime =
    (of: (run: RunRecord) => Point[]) =>
    (run: RunRecord): Point[] =>
      of(run).map(({ x, y }) => ({ x: (x * run.step.median) / 60_000, y }));
  // Of few validations time shows nothing; the loss has points enough.
  const few = series.some(({ runs }) => runs.some((run) => run.curves.validation.length < FEWEST_VALIDATIONS));
  const [first] = series[0]?.runs ?? [];
  const panels = [
    curves(frame(0, 0), `Training loss (${first?.budget.loss ?? ""})`, "steps", series, loss, logAxis),
    finals(frame(1, 0), series),
    curves(frame(0, 1), "Validation PSNR, dB", "steps", series, validation, linearAxis),
    few
      ? curves(frame(1, 1), "Training loss by time", "minutes of steps", series, byTime(loss), logAxis)
      : curves(frame(1, 1), "Validation PSNR by time, dB", "minutes of steps", series, byTime(validation), linearAxis),
  ];
  const height = top + 2 * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeXml(title)}">
<style>${STYLE}</style>
<rect class="page" width="${WIDTH}" height="${height}"/>
<text class="head" x="24" y="32">${escapeXml(title)}</text>
${legend(series)}
${panels.join("\n")}
</svg>
`;
}

function legend(series: readonly Series[]): string {
  return series
    .map(({ variant, colour }, i) => {
      const [x, y] = [24 + 350 * (i % NAMES_A_LINE), 58 + 20 * Math.floor(i / NAMES_A_LINE)];
      return `<rect class="f${colour}" x="${x}" y="${y - 9}" width="14" height="10" rx="2"/><text x="${x + 20}" y="${y}">${escapeXml(titleOf(variant))}</text>`;
    })
    .join("\n");
}

/** A thin line a run, a thick one of the means over the seeds. */
function curves(
  frame: Frame,
  title: string,
  below: string,
  series: readonly Series[],
  of: (run: RunRecord) => readonly Point[],
  axisOf: typeof logAxis,
): string {
  const all = series.flatMap(({ runs }) => runs.flatMap(of));
  if (all.length === 0) return "";
  const x = linearAxis([0, ...all.map((point) => point.x)], frame.left, frame.left + frame.width, 0);
  const y = axisOf(
    all.map((point) => point.y),
    frame.top + frame.height,
    frame.top,
  );
  const lines = series.map(({ colour, runs }) => {
    const thin = runs.length > 1 ? runs.map((run) => lineOf(of(run), x, y, `thin s${colour}`)) : [];
    return `${thin.join("")}${lineOf(meanOf(runs.map(of)), x, y, `s${colour}`)}`;
  });
  return frameOf(frame, title, x, y, below) + lines.join("");
}

/** Point by point, as far as all have them. */
function meanOf(lines: readonly (readonly Point[])[]): Point[] {
  const length = Math.min(...lines.map((line) => line.length));
  return Array.from({ length }, (_, i) => {
    const points = lines.map((line) => line[i] ?? { x: 0, y: 0 });
    const mean = (pick: (point: Point) => number): number =>
      points.reduce((sum, point) => sum + pick(point), 0) / points.length;
    return { x: mean((point) => point.x), y: mean((point) => point.y) };
  });
}

function lineOf(points: readonly Point[], x: Axis, y: Axis, classes: string): string {
  const places = points.map((point) => `${px(x.at(point.x))},${px(y.at(point.y))}`);
  // Of one point no line shows.
  const [only] = places.length === 1 ? places : [];
  if (only !== undefined) {
    const [cx, cy] = only.split(",");
    return `<circle class="${classes}" cx="${cx}" cy="${cy}" r="3.5"/>`;
  }
  return places.length === 0 ? "" : `<polyline class="${classes}" points="${places.join(" ")}"/>`;
}

/** A dot a seed and a bar at their mean: whole outputs on the left of each network, pasted back on the right. */
function finals(frame: Frame, series: readonly Series[]): string {
  const outputs: readonly Output[] = ["whole", "pasted"];
  const psnr = (run: RunRecord, output: Output): number => run[output].after.psnr;
  const values = series.flatMap(({ runs }) => runs.flatMap((run) => outputs.map((output) => psnr(run, output))));
  const [before] = series.flatMap(({ runs }) => runs.map((run) => run.whole.before.psnr));
  const y = linearAxis([...values, before ?? Number.NaN], frame.top + frame.height, frame.top, 0.08);
  const step = frame.width / Math.max(1, series.length);
  const marks = series.map(({ colour, runs }, i) =>
    outputs
      .map((output, k) => {
        const middle = frame.left + step * (i + (k + 1) / 3);
        const mean = runs.reduce((sum, run) => sum + psnr(run, output), 0) / runs.length;
        const dots = runs.map(
          (run) => `<circle class="f${colour} dot" cx="${px(middle)}" cy="${px(y.at(psnr(run, output)))}" r="4"/>`,
        );
        const label = `<text class="tick" x="${px(middle)}" y="${frame.top + frame.height + 17}" text-anchor="middle">${output}</text>`;
        return `<line class="mean s${colour}" x1="${px(middle - 14)}" x2="${px(middle + 14)}" y1="${px(y.at(mean))}" y2="${px(y.at(mean))}"/>${dots.join("")}${series.length <= 5 ? label : ""}`;
      })
      .join(""),
  );
  const composites =
    before === undefined
      ? ""
      : `<line class="before" x1="${frame.left}" x2="${frame.left + frame.width}" y1="${px(y.at(before))}" y2="${px(y.at(before))}"/>`;
  const below = "dashed: the composites as they are; left whole output, right pasted back";
  return frameOf(frame, "PSNR at the end, dB: a dot a seed", null, y, below) + composites + marks.join("");
}

const PALETTE = ["#2f6fd0", "#c7741a", "#1f8a5b", "#7a54c0", "#b8406f", "#1b8fa6", "#8a7a1c", "#5d6b7c"];

const STYLE = `
text { font: 13px system-ui, sans-serif; fill: #1b2129; } .head { font-size: 17px; font-weight: 600; } .title { font-weight: 600; }
.tick { fill: #626d7b; font-size: 12px; } .page { fill: #ffffff; } .grid { stroke: #e2e5ea; }
polyline { fill: none; stroke-width: 2.2; stroke-linejoin: round; } .thin { stroke-width: 1; opacity: .45; } .mean { stroke-width: 3; }
.dot { fill-opacity: .55; } .before { stroke: #1b2129; stroke-dasharray: 5 4; }
${PALETTE.map((colour, i) => `.s${i} { stroke: ${colour}; } circle.s${i}, .f${i} { fill: ${colour}; }`).join("\n")}`;

/** Networks of one chart that are told apart. */
export const MOST_SERIES = PALETTE.length;
