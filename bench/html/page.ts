/** A bench as one page that needs no other file and no network: cards, breakdowns, roofline, kernels, comparison. */
import type { ComparedRow, Comparison } from "../compare.js";
import type { ModelRow } from "../model.js";
import type { Results } from "../results.js";
import type { TrainingRow } from "../training.js";
import { bytes, escapeXml, flopRate, milliseconds, percent, short } from "./format.js";
import { kernelChart } from "./kernel_chart.js";
import { rooflineChart } from "./roofline_chart.js";
import { sharesOf } from "./shares.js";
import { STYLE } from "./style.js";

interface Card {
  readonly label: string;
  readonly value: string;
  readonly note: string;
}

export function htmlOf(results: Results): string {
  const { adapter, date, model, training, roofline, kernels = [], passes = [], trainingPasses = [], compare } = results;
  const title = `s2am bench: ${adapter.name}`;
  const cards = [
    ...(model ? modelCards(model) : []),
    ...(training ? trainingCards(training) : []),
    ...(roofline ? roofCards(results) : []),
  ];
  const sections = [
    model && section(`${nameOf(model)}: where a run's time goes`, modelText(model), sharesOf(passes)),
    training && section(`Training step, batch ${training.batch}`, trainingText(training), sharesOf(trainingPasses)),
    roofline && section("Roofline", ROOFLINE_TEXT, rooflineChart(results)),
    kernels.length > 0 && section("Kernels alone", KERNEL_TEXT, KERNEL_KEY + kernelChart(kernels)),
    compare && section("Against an earlier run", compareText(compare), compareTable(compare)),
    section("This run", "", factsTable(results)),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
</head>
<body><main>
<h1>${escapeXml(adapter.name)}</h1>
<p>s2am bench, ${escapeXml(date.slice(0, 16).replace("T", " "))} UTC${adapter.isSoftware ? ", a software adapter" : ""}</p>
<div class="cards">${cards.map(({ label, value, note }) => `<div><span>${escapeXml(label)}</span><b>${escapeXml(value)}</b><small>${escapeXml(note)}</small></div>`).join("")}</div>
${sections.filter(Boolean).join("\n")}
</main></body>
</html>
`;
}

const section = (title: string, text: string, body: string): string =>
  body === ""
    ? ""
    : `<section><h2>${escapeXml(title)}</h2>${text === "" ? "" : `<p>${escapeXml(text)}</p>`}${body}</section>`;

const nameOf = ({ name, width, size, batch }: ModelRow | TrainingRow): string =>
  `${name}, width ${width}, ${size} × ${size}${batch > 1 ? `, batch ${batch}` : ""}`;

const floorNote = ({ floorMs, percentOfFloor }: ModelRow | TrainingRow): string =>
  floorMs === null ? "" : `${percent(percentOfFloor)} of the floor, ${milliseconds(floorMs)}`;

const modelCards = (row: ModelRow): Card[] => [
  { label: nameOf(row), value: milliseconds(row.msMedian), note: floorNote(row) },
  {
    label: "Plain algorithm",
    value: flopRate((1000 * row.gflop) / row.msMedian),
    note: `${short(row.gflop)} GFLOP a run`,
  },
  {
    label: "Dispatches",
    value: String(row.dispatches),
    note: `${bytes(row.movedBytes)} moved, at least ${bytes(row.bytes)}`,
  },
  { label: "Activations and scratch", value: bytes(row.activationBytes), note: `weights ${bytes(row.weightBytes)}` },
];

const trainingCards = (row: TrainingRow): Card[] => [
  { label: `Training step, batch ${row.batch}`, value: milliseconds(row.msMedian), note: floorNote(row) },
  { label: "Training memory", value: bytes(row.activationBytes), note: `${row.dispatches} dispatches a step` },
];

const roofCards = ({ roofline }: Results): Card[] =>
  roofline
    ? [
        {
          label: "Peak, float32",
          value: flopRate(roofline.peakGflops),
          note: roofline.peakF16Gflops === null ? "" : `float16 ${flopRate(roofline.peakF16Gflops)}`,
        },
        {
          label: "Bandwidth",
          value: `${short(roofline.bandwidthGBps)} GB/s`,
          note: `copyBufferToBuffer ${short(roofline.copyBufferGBps)}`,
        },
      ]
    : [];

const modelText = (row: ModelRow): string =>
  `Median of ${row.runs} runs by the wall ${milliseconds(row.msMedian)}${row.gpuMsMedian === null ? "" : `, on the GPU ${milliseconds(row.gpuMsMedian)}`}; below, one run with a timestamp around every pass.`;
const trainingText = (row: TrainingRow): string =>
  `Median of ${row.steps} steps ${milliseconds(row.msMedian)}, ${short(row.imagesPerSecond)} images a second; below, one step with a timestamp around every pass.`;
const ROOFLINE_TEXT =
  "Rates are of the plain algorithm and bytes are the operands', each once, so that variants compare. Winograd does fewer operations, operands may stay in a cache, and f16 beats the float32 peak: points may lie above the roof.";
const KERNEL_TEXT =
  "A bar reaches from a kernel's floor to its median; the axis is logarithmic, so its length is the factor between them. On the right: milliseconds, share of the floor, and what limits it.";
const KERNEL_KEY = `<div class="legend"><span><i class="tick"></i>floor</span><span><i class="key compute"></i>floor of compute</span><span><i class="key memory"></i>floor of memory</span><span><b>bold</b>: the fastest variant of its case</span></div>`;

const compareText = ({ file, date, same, missing }: Comparison): string =>
  `${file} of ${date.slice(0, 10)}: ${same} rows within the noise, ${missing.length} not timed now.`;

function compareTable({ slower, faster }: Comparison): string {
  const row = (verdict: string, { part, name, oldMs, newMs, ratio, noise }: ComparedRow): string =>
    `<tr><td class="text">${part}</td><td class="text">${escapeXml(name)}</td><td>${short(oldMs)}</td><td>${short(newMs)}</td><td class="${verdict}">${ratio.toFixed(2)} ×</td><td>${percent(100 * noise)}</td></tr>`;
  const rows = [...slower.map((one) => row("slower", one)), ...faster.map((one) => row("faster", one))];
  if (rows.length === 0) return "<p>Nothing got slower or faster.</p>";
  return `<div class="scroll"><table class="wide"><thead><tr><th class="text">part</th><th class="text">row</th><th>then, ms</th><th>now, ms</th><th>ratio</th><th>noise</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`;
}

function factsTable({ command, date, versions, adapter, roofline, model, training, plannedTraining }: Results): string {
  const facts: Record<string, string> = {
    command,
    date,
    adapter: `${adapter.name}${adapter.description ? `, ${adapter.description}` : ""}`,
    versions: Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
  };
  if (roofline) {
    facts.peak = `${short(roofline.peakGflops)} GFLOP/s by ${roofline.peakShape}${roofline.saturatingThreads === null ? "" : `; ${roofline.saturatingThreads} threads reach 70 % of it`}`;
    facts.bandwidth = `${short(roofline.bandwidthGBps)} GB/s by ${roofline.bandwidthShape}, ${bytes(roofline.copyBytes)} each way`;
    facts["an empty pass"] = `${short(1000 * roofline.passMs)} µs`;
  }
  if (model) facts["peak of all buffers, network"] = bytes(model.peakBytes);
  if (training) facts["peak of all buffers, training"] = bytes(training.peakBytes);
  if (plannedTraining) {
    const { batch, keeping, recomputing } = plannedTraining;
    facts[`a step of batch ${batch}, planned`] =
      `activations, gradients and scratch ${bytes(keeping.activationBytes)}, recomputing ${bytes(recomputing.activationBytes)}`;
  }
  const rows = Object.entries(facts).map(
    ([name, value]) => `<tr><td class="text">${escapeXml(name)}</td><td class="fact">${escapeXml(value)}</td></tr>`,
  );
  return `<table><tbody>${rows.join("\n")}</tbody></table>`;
}
