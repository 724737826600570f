/** What scripts/bench_gpu.mjs makes of its measurements: medians over rounds, ratios, one Markdown page. Pure. */

const sorted = (values) => [...values].sort((a, b) => a - b);
export function median(values) {
  const ordered = sorted(values);
  const middle = (ordered.length - 1) / 2;
  return ((ordered[Math.floor(middle)] ?? Number.NaN) + (ordered[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/** The rows that `s2am_reference.py bench` prints, a JSON document a line; lines that are none are left out. */
export function parseTorchRows(text) {
  return text.split("\n").flatMap((line) => {
    try {
      const row = JSON.parse(line);
      return typeof row?.name === "string" ? [row] : [];
    } catch {
      return [];
    }
  });
}

/**
 * Rows of several rounds by name: the median of the rounds' medians, and how far the rounds lie apart.
 * @param rounds lists of {name, ms_median} or {name, error}
 */
export function joinTorch(rounds) {
  const names = [...new Set(rounds.flat().map(({ name }) => name))];
  return names.map((name) => {
    const rows = rounds.flat().filter((row) => row.name === name);
    const times = rows.flatMap(({ ms_median }) => (typeof ms_median === "number" ? [ms_median] : []));
    return times.length > 0
      ? { name, ms: median(times), least: Math.min(...times), most: Math.max(...times), rounds: times.length }
      : { name, error: rows.at(-1)?.error ?? "no time" };
  });
}

/** A model's or training step's rows of several rounds. */
export function joinS2am(rows) {
  const times = rows.map(({ msMedian }) => msMedian);
  const gpu = rows.map((row) => row.gpuMsMedian ?? row.gpuMs ?? null).filter((ms) => ms !== null);
  return {
    row: rows[0],
    ms: median(times),
    least: Math.min(...times),
    most: Math.max(...times),
    rounds: times.length,
    gpuMs: gpu.length > 0 ? median(gpu) : null,
  };
}

const rate = (gflops) => (gflops >= 1000 ? `${(gflops / 1000).toFixed(2)} TFLOP/s` : `${gflops.toFixed(1)} GFLOP/s`);
const ms = (value) => (value === null || Number.isNaN(value) ? "–" : value.toPrecision(3));
const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
const range = ({ ms: middle, least, most, rounds }) =>
  rounds > 1 ? `${ms(middle)} (${ms(least)}–${ms(most)})` : ms(middle);

/**
 * What bench:isa predicted of a network or training step on a card like this one; null where it did not.
 * Predictions are {cards: [{name, adapter}], workloads: {NAME: {CARD: {ms}}}}, or null.
 * @param {any} predictions
 * @param {string} adapter
 * @param {{name: string, width: number, size: number, batch: number, dtype?: string, imagesPerSecond?: number}} row of s2am bench
 */
export function predictionOf(predictions, adapter, { name, width, size, batch, dtype = "f32", imagesPerSecond }) {
  const card = predictions?.cards.find((one) => new RegExp(one.adapter, "i").test(adapter));
  if (!card) return null;
  const shape = batch > 1 ? `${size}x${batch}` : size;
  const workload = `${name}${width}-${shape}${imagesPerSecond === undefined ? "" : "-train"}-${dtype}`;
  const found = predictions.workloads[workload]?.[card.name];
  return found ? { card: card.name, ms: found.ms } : null;
}

/**
 * @param found {adapter, date, roofline, torch, networks: [{label, s2am, torch}], check, kernels, notes, predictions?}
 * @returns Markdown
 */
export function summaryMarkdown({
  adapter,
  date,
  roofline,
  torch,
  networks,
  check,
  kernels,
  notes,
  predictions = null,
}) {
  const parts = [
    `# ${adapter}`,
    `Measured ${date} by \`npm run bench:gpu\`.${torch ? ` PyTorch ${torch.version} on ${torch.device}.` : ""}`,
  ];
  if (roofline) {
    const { peakGflops, peakF16Gflops, bandwidthGBps, copyBufferGBps, passMs } = roofline;
    const f16 = peakF16Gflops === null ? "" : `, ${rate(peakF16Gflops)} in f16`;
    parts.push(
      `Peak ${rate(peakGflops)} of float32 multiply-adds${f16}; bandwidth ${bandwidthGBps.toFixed(1)} GB/s ` +
        `(copyBufferToBuffer ${copyBufferGBps.toFixed(1)}); an empty pass ${(1000 * passMs).toFixed(1)} us.`,
    );
  }
  if (networks.length > 0) parts.push("## Networks", networkTable(networks));
  const predicted = networks.flatMap(({ label, s2am }) => predictedRows(label, s2am, predictions, adapter));
  if (predicted.length > 0)
    parts.push(
      "## Beside the prediction",
      table(["", "card", "predicted ms, GPU", "measured ms, GPU", "measured / predicted"], predicted),
      "The prediction was made without a card, from a compiler's listings and what is published of the card: where the two differ the model is what is wrong (`bench/isa/predict`).",
    );
  const compared = networks.flatMap(ratioRows);
  if (compared.length > 0)
    parts.push(
      "## Beside PyTorch, in the same run, alternating",
      table(["", "PyTorch", "ms", "PyTorch / s2am (wall)", "PyTorch / s2am (GPU)"], compared),
      "Above 1 s2am is faster. Its wall time counts upload and read-back, its GPU time does not; PyTorch's tensors are on the GPU already.",
    );
  if (check)
    parts.push("## Check", `${check.cases} cases of every variant against float64, ${check.wrong.length} wrong.`);
  if (kernels?.length) parts.push("## Kernels: the fastest variant of each case", kernelTable(kernels));
  if (notes.length > 0) parts.push("## Left out", notes.map((note) => `- ${note}`).join("\n"));
  return `${parts.join("\n\n")}\n`;
}

function predictedRows(label, { row, gpuMs }, predictions, adapter) {
  const found = predictionOf(predictions, adapter, row);
  if (!found) return [];
  return [[label, found.card, ms(found.ms), ms(gpuMs), gpuMs === null ? "–" : `${(gpuMs / found.ms).toFixed(2)} x`]];
}

function networkTable(networks) {
  const rows = networks.map(({ label, s2am }) => {
    const { row, gpuMs } = s2am;
    const floor = row.percentOfFloor === null ? "–" : `${row.percentOfFloor.toFixed(1)} %`;
    return [
      label,
      range(s2am),
      ms(gpuMs),
      rate((1000 * row.gflop) / s2am.ms),
      floor,
      row.dispatches,
      mebibytes(row.movedBytes),
      mebibytes(row.activationBytes),
    ];
  });
  return table(
    ["", "ms, wall", "ms, GPU", "plain algorithm", "of the floor", "dispatches", "moved", "activations"],
    rows,
  );
}

function ratioRows({ label, s2am, torch }) {
  return torch.map((row) =>
    row.error
      ? [label, row.name, `failed: ${row.error.slice(0, 60).replaceAll("|", "/")}`, "–", "–"]
      : [
          label,
          row.name,
          range(row),
          `${(row.ms / s2am.ms).toFixed(2)} x`,
          s2am.gpuMs ? `${(row.ms / s2am.gpuMs).toFixed(2)} x` : "–",
        ],
  );
}

function kernelTable(kernels) {
  const best = new Map();
  for (const row of kernels) {
    const key = `${row.op} ${row.case}`;
    if (!best.has(key) || row.msMedian < best.get(key).msMedian) best.set(key, row);
  }
  const rows = [...best.values()].map((row) => [
    row.kernel,
    row.case,
    ms(row.msMedian),
    row.gflops.toFixed(0),
    row.gbps.toFixed(0),
    row.percentOfFloor === null ? "–" : `${row.percentOfFloor.toFixed(0)} %`,
    row.limit ?? "–",
  ]);
  return table(["kernel", "case", "ms", "GFLOP/s", "GB/s", "of the floor", "limit"], rows);
}
