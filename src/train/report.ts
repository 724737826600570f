/** A training as one page that needs no other file: curves to zoom into, pictures before and after, the settings. */
import type { History, TrainRow } from "./history.js";

export interface ReportSample {
  readonly name: string;
  readonly caption: string;
  /** The strip: composite, mask, harmonized, real. */
  readonly png: Uint8Array;
}

export interface Report {
  readonly title: string;
  /** Facts to stand above the curves, by name. */
  readonly facts: Readonly<Record<string, string>>;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly history: History;
  /** Of the untouched composites; drawn as a line to be above. */
  readonly baselinePsnr: number | null;
  readonly samples: readonly ReportSample[];
  /** uPlot's script and style sheet. */
  readonly chartLibrary: { readonly script: string; readonly style: string };
}

interface Chart {
  readonly title: string;
  readonly logarithmic: boolean;
  readonly labels: readonly string[];
  /** Steps, then a column a label; null leaves a gap. */
  readonly columns: readonly (readonly (number | null)[])[];
}

/** As many points as a wide screen has pixels. */
const MAX_POINTS = 2000;

export function reportHtml({ title, facts, settings, history, baselinePsnr, samples, chartLibrary }: Report): string {
  const charts = chartsOf(history, baselinePsnr);
  const rows = (entries: Readonly<Record<string, unknown>>): string =>
    Object.entries(entries)
      .map(([name, value]) => `<tr><th>${escapeXml(name)}</th><td>${escapeXml(String(value ?? "none"))}</td></tr>`)
      .join("\n");
  const figures = samples.map(
    ({ name, caption, png }) =>
      `<figure><img alt="${escapeXml(name)}" src="data:image/png;base64,${base64(png)}"><figcaption>${escapeXml(`${name}: ${caption}`)}</figcaption></figure>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>${escapeXml(title)}</title>
<style>${chartLibrary.style}</style>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeXml(title)}</h1>
<table>${rows(facts)}</table>
<div id="charts"></div>
${figures.length > 0 ? `<h2>Composite, mask, harmonized, real</h2>\n${figures.join("\n")}` : ""}
<h2>Settings</h2>
<table>${rows(settings)}</table>
<script>${chartLibrary.script}</script>
<script>
const charts = ${JSON.stringify(charts).replaceAll("<", "\\u003c")};
${DRAW}
</script>
</body>
</html>
`;
}

function chartsOf({ train, validation }: History, baselinePsnr: number | null): Chart[] {
  const points = thinned(train);
  const steps = points.map(({ step }) => step);
  const column = (read: (row: TrainRow) => number): (number | null)[] => points.map((row) => finite(read(row)));
  const positive = (read: (row: TrainRow) => number) =>
    column(read).map((value) => (value !== null && value > 0 ? value : null));
  const losses = positive(({ loss }) => loss);
  const validated = validation.map(({ step }) => step);
  const baseline = validation.map(() => baselinePsnr);
  return [
    { title: "Loss", logarithmic: true, labels: ["loss", "smoothed"], columns: [steps, losses, smoothed(losses)] },
    {
      title: "Validation PSNR (dB)",
      logarithmic: false,
      labels: ["harmonized", "composite"],
      columns: [validated, validation.map(({ psnr }) => finite(psnr)), baseline],
    },
    {
      title: "Gradient norm",
      logarithmic: true,
      labels: ["gradient norm"],
      columns: [steps, positive((row) => row.gradientNorm)],
    },
    { title: "Learning rate", logarithmic: false, labels: ["learning rate"], columns: [steps, column(({ lr }) => lr)] },
  ];
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Neighbouring rows as one, with their mean loss and gradient norm; skipped steps do not count. */
function thinned(rows: readonly TrainRow[]): TrainRow[] {
  const stride = Math.ceil(rows.length / MAX_POINTS);
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const points: TrainRow[] = [];
  for (let start = 0; start < rows.length; start += stride) {
    const group = rows.slice(start, start + stride);
    const taken = group.filter(({ skipped }) => !skipped);
    const last = group.at(-1);
    if (last)
      points.push({
        ...last,
        loss: mean(taken.map(({ loss }) => loss)),
        gradientNorm: mean(taken.map((row) => row.gradientNorm)),
      });
  }
  return points;
}

/** An exponential average over the last fiftieth of the curve or so. */
function smoothed(values: readonly (number | null)[]): (number | null)[] {
  const weight = 1 / Math.max(1, values.length / 50);
  let average: number | null = null;
  return values.map((value) => {
    if (value !== null) average = average === null ? value : average + weight * (value - average);
    return average;
  });
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(binary);
}

const STYLE = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
th { text-align: left; font-weight: normal; opacity: .7; padding-right: 2rem; }
figure { margin: 0 0 1rem; } figure img { max-width: 100%; display: block; } figcaption { opacity: .7; }
#charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(28rem, 1fr)); gap: 1rem; margin: 1rem 0; }
#charts > div { min-width: 0; }`;

const DRAW = `
const grid = document.getElementById("charts");
const colours = ["#7aa7d9", "#d9822b"];
const lines = { stroke: getComputedStyle(document.body).color, grid: { stroke: "#8884" }, ticks: { stroke: "#8884" } };
const values = (_, ticks) => ticks.map((tick) => (tick === null ? "" : String(Number(tick.toPrecision(6)))));
const drawn = charts.filter(({ columns }) => columns[0].length > 0);
const places = drawn.map(() => grid.appendChild(document.createElement("div")));
drawn.forEach(({ title, logarithmic, labels, columns }, i) => {
  const size = () => ({ width: places[i].clientWidth, height: 280 });
  const points = { show: columns[0].length < 60 };
  const plot = new uPlot({
    title, ...size(),
    scales: { x: { time: false }, y: { distr: logarithmic ? 3 : 1 } },
    axes: [lines, { ...lines, values, size: 70 }],
    series: [{ label: "step" }, ...labels.map((label, k) => ({ label, stroke: colours[k], width: 1.5, points }))],
  }, columns, places[i]);
  addEventListener("resize", () => plot.setSize(size()));
});`;
