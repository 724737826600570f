/**
 * Draws the curves of a training in one or more stages, each run going on from the one before, over the composites seen.
 *
 *     node scripts/plot_training.mjs OUT.svg RUN [RUN ...]
 *
 * A RUN is a folder that `s2am train --out` made. Above: PSNR on the validation composites of each stage; stages of
 * other sizes or sets cannot be compared with each other. Below: the loss, averaged, as a share of what it was when the
 * stage began, for stages may have different losses.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const [out, ...runs] = process.argv.slice(2);
if (!out || runs.length === 0) {
  console.error("usage: node scripts/plot_training.mjs OUT.svg RUN [RUN ...]");
  process.exit(2);
}

/** Share of the past in the running average of the loss. */
const SMOOTHING = 0.98;
/** Steps whose mean loss is what a stage begins with. */
const FIRST_STEPS = 50;
const [WIDTH, LEFT, RIGHT] = [860, 62, 840];
const PANELS = [
  { title: "PSNR on validation composites, dB", top: 40, bottom: 210 },
  { title: "loss, averaged, 1 where a stage begins", top: 260, bottom: 400 },
];
const COLOURS = ["#2b6cb0", "#c05621", "#2f855a", "#6b46c1", "#b83280", "#744210"];

let seen = 0;
const stages = [];
for (const run of runs) stages.push(await stageOf(run));

async function stageOf(run) {
  const config = JSON.parse(await readFile(join(run, "config.json"), "utf8"));
  const perStep = config.batch * config.accumulate;
  const [header, ...rows] = (await readFile(join(run, "log.csv"), "utf8")).trim().split("\n");
  const columns = header.split(",");
  const records = rows.map((row) => Object.fromEntries(row.split(",").map((value, i) => [columns[i], value])));
  const at = ({ step }) => seen + Number(step) * perStep;
  const psnr = records.filter(({ split }) => split === "val").map((one) => [at(one), Number(one.psnr)]);
  const losses = records.filter(({ split }) => split === "train");
  const first = losses.slice(0, FIRST_STEPS);
  let average = first.reduce((sum, one) => sum + Number(one.loss), 0) / first.length;
  const begun = average;
  const loss = losses.map((one) => {
    average = SMOOTHING * average + (1 - SMOOTHING) * Number(one.loss);
    return [at(one), average / begun];
  });
  const last = records.at(-1);
  const start = seen;
  if (last) seen = at(last);
  return { label: `${config.size} x ${config.size}, ${config.loss}`, start, psnr, loss };
}

const x = (images) => LEFT + ((RIGHT - LEFT) * images) / Math.max(1, seen);
const nice = (span) => {
  const power = 10 ** Math.floor(Math.log10(span));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => span / step <= 5) ?? power * 10;
};

function panel({ title, top, bottom }, series) {
  const values = series.flatMap((points) => points.map(([, value]) => value));
  if (values.length === 0) return "";
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const margin = 0.08 * (high - low || 1);
  const y = (value) => bottom - ((bottom - top) * (value - low + margin)) / (high - low + 2 * margin);
  const step = nice(high - low || 1);
  const ticks = [];
  for (let tick = Math.ceil((low - margin) / step) * step; tick <= high + margin; tick += step) ticks.push(tick);
  const grid = ticks
    .map(
      (tick) =>
        `<line x1="${LEFT}" x2="${RIGHT}" y1="${y(tick)}" y2="${y(tick)}" stroke="#ddd"/><text x="${LEFT - 8}" y="${y(tick) + 4}" text-anchor="end">${Number(tick.toPrecision(6))}</text>`,
    )
    .join("");
  const lines = series
    .map((points, i) => {
      const colour = COLOURS[i % COLOURS.length];
      const path = points.map(([images, value]) => `${x(images).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
      const dots =
        points.length > 40
          ? ""
          : points
              .map(([images, value]) => `<circle cx="${x(images)}" cy="${y(value)}" r="3" fill="${colour}"/>`)
              .join("");
      return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>${dots}`;
    })
    .join("");
  return `<text x="${LEFT}" y="${top - 12}" font-weight="bold">${title}</text>${grid}${lines}`;
}

const labels = stages
  .map(
    ({ label, start }, i) =>
      `<text x="${x(start) + 4}" y="${PANELS[0].top + 12 + 14 * (i % 3)}" fill="${COLOURS[i % COLOURS.length]}">${label}</text>`,
  )
  .join("");
const step = nice(seen || 1);
let axis = "";
for (let images = 0; images <= seen; images += step) {
  axis += `<text x="${x(images)}" y="420" text-anchor="middle">${images.toLocaleString("en-US")}</text>`;
}
const body = [
  panel(
    PANELS[0],
    stages.map(({ psnr }) => psnr),
  ),
  panel(
    PANELS[1],
    stages.map(({ loss }) => loss),
  ),
  labels,
  axis,
  `<text x="${(LEFT + RIGHT) / 2}" y="440" text-anchor="middle">composites seen</text>`,
].join("\n");
await writeFile(
  out,
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} 450" font-family="sans-serif" font-size="12" fill="#333"><title>Curves of a training</title><rect width="${WIDTH}" height="450" fill="#fff"/>\n${body}\n</svg>\n`,
);
console.log(`${out}: ${seen.toLocaleString("en-US")} composites in ${stages.length} stage(s)`);
