/** The roofline: operations a byte against operations a second, under the two limits of the adapter. */
import type { Results } from "../results.js";
import { escapeXml, percent, px, short } from "./format.js";
import { logScale, tickText } from "./scale.js";

interface Point {
  readonly name: string;
  readonly kind: "kernel" | "network" | "training";
  readonly flops: number;
  readonly bytes: number;
  readonly ms: number;
  readonly percentOfFloor: number | null;
}

const WIDTH = 1080;
const HEIGHT = 460;
/** Kernels with less of a run than this would only stretch the axes. */
const WORTH = 0.005;
const EDGE = { left: 64, right: 24, top: 28, bottom: 48 };

export function rooflineChart({ roofline, kernels = [], passes = [], trainingPasses = [] }: Results): string {
  if (!roofline) return "";
  const shared = (kind: Point["kind"], rows: typeof passes): Point[] => {
    const whole = rows.reduce((sum, { ms }) => sum + ms, 0);
    return rows.filter(({ ms }) => ms >= WORTH * whole).map((row) => ({ ...row, name: row.kernel, kind }));
  };
  const points: Point[] = [
    ...kernels.map((row) => ({ ...row, name: `${row.kernel} ${row.case}`, kind: "kernel" as const, ms: row.msMedian })),
    ...shared("network", passes),
    ...shared("training", trainingPasses),
  ].filter(({ flops, bytes, ms }) => flops > 0 && bytes > 0 && ms > 0);
  if (points.length === 0) return "";
  const { peakGflops, bandwidthGBps } = roofline;
  const ridge = peakGflops / bandwidthGBps;
  const x = logScale([ridge, ...points.map((p) => p.flops / p.bytes)], EDGE.left, WIDTH - EDGE.right);
  const rates = points.map((p) => p.flops / p.ms / 1e6);
  const y = logScale([peakGflops, ...rates], HEIGHT - EDGE.bottom, EDGE.top);
  const roof = [
    [x.from, x.from * bandwidthGBps],
    [Math.min(ridge, x.to), Math.min(ridge, x.to) * bandwidthGBps],
    ...(ridge < x.to ? [[x.to, peakGflops]] : []),
  ] as [number, number][];
  const path = roof.map(([i, g]) => `${px(x.at(i))},${px(y.at(Math.max(g, y.from / 10)))}`).join(" ");
  const vertical = x.ticks.map(
    (tick) =>
      `<line class="grid" x1="${px(x.at(tick))}" x2="${px(x.at(tick))}" y1="${EDGE.top}" y2="${HEIGHT - EDGE.bottom}"/><text class="tick" x="${px(x.at(tick))}" y="${HEIGHT - EDGE.bottom + 18}" text-anchor="middle">${tickText(tick)}</text>`,
  );
  const horizontal = y.ticks.map(
    (tick) =>
      `<line class="grid" x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${px(y.at(tick))}" y2="${px(y.at(tick))}"/><text class="tick" x="${EDGE.left - 8}" y="${px(y.at(tick) + 4)}" text-anchor="end">${tickText(tick)}</text>`,
  );
  const dots = points.map((point) => {
    const rate = point.flops / point.ms / 1e6;
    const intensity = point.flops / point.bytes;
    const title = `${point.name}: ${short(rate)} GFLOP/s, ${short(intensity)} FLOP a byte, ${short(point.ms)} ms, ${percent(point.percentOfFloor)} of its floor`;
    const radius = point.kind === "kernel" ? 4 : 6;
    return `<circle class="dot ${point.kind}" cx="${px(x.at(intensity))}" cy="${px(y.at(rate))}" r="${radius}"><title>${escapeXml(title)}</title></circle>`;
  });
  const kinds = [...new Set(points.map(({ kind }) => kind))];
  const names = { kernel: "a kernel alone", network: "inside the network", training: "inside a training step" };
  const key = kinds.map(
    (kind, i) =>
      `<g transform="translate(${WIDTH - EDGE.right - 170},${HEIGHT - EDGE.bottom - 20 * (kinds.length - i)})"><circle class="dot ${kind}" cx="0" cy="-4" r="5"/><text class="tick" x="12" y="0">${names[kind]}</text></g>`,
  );
  const peakEnd = WIDTH - EDGE.right - 6;
  return `<div class="scroll"><svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Roofline">
<defs><clipPath id="plot"><rect x="${EDGE.left}" y="${EDGE.top}" width="${WIDTH - EDGE.left - EDGE.right}" height="${HEIGHT - EDGE.top - EDGE.bottom}"/></clipPath></defs>
${vertical.join("")}${horizontal.join("")}
<g clip-path="url(#plot)"><polyline class="roof" points="${path}"/>${dots.join("")}</g>
<text class="label" x="${peakEnd}" y="${px(y.at(peakGflops) - 7)}" text-anchor="end">${short(peakGflops)} GFLOP/s, ${short(bandwidthGBps)} GB/s</text>
<text class="axis" x="${WIDTH / 2}" y="${HEIGHT - 8}" text-anchor="middle">operations a byte of operands (FLOP/B)</text>
<text class="axis" x="${EDGE.left - 46}" y="16">GFLOP/s of the plain algorithm</text>
${key.join("")}</svg></div>`;
}
