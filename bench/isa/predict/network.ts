/** Predictions of whole networks and training steps: sums over their dispatches. */
import type { CompiledFamily } from "../compile.js";
import { showConstants } from "../figures.js";
import type { Workload } from "../workload.js";
import type { Card } from "./cards.js";
import { BOUNDS, type BoundName, predict } from "./model.js";

export interface PredictedKernel {
  readonly kernel: string;
  readonly uses: number;
  readonly us: number;
  /** What bounds most of that time. */
  readonly bound: BoundName;
}

export interface PredictedNetwork {
  readonly card: string;
  readonly family: string;
  readonly proxy: boolean;
  readonly ms: number;
  /** Share of the time by what bounds it. */
  readonly bounds: Readonly<Partial<Record<BoundName, number>>>;
  /** The longest first. */
  readonly kernels: readonly PredictedKernel[];
}

interface Entry {
  uses: number;
  us: number;
  readonly byBound: Map<BoundName, number>;
}

const add = (map: Map<BoundName, number>, bound: BoundName, us: number): void =>
  void map.set(bound, (map.get(bound) ?? 0) + us);

export function predictNetwork({ kernels, figures, used }: CompiledFamily, card: Card): PredictedNetwork {
  const byKey = new Map(figures.map((row) => [`${row.shader} ${row.constants}`, row]));
  const byId = new Map(
    kernels.map(({ id, shader, constants }) => [id, byKey.get(`${shader} ${showConstants(constants)}`)]),
  );
  const entries = new Map<string, Entry>();
  const bounds = new Map<BoundName, number>();
  for (const use of used) {
    const row = byId.get(use.id);
    if (!row) throw new Error(`${use.op}: kernel ${use.id} has no figures`);
    const { us, bound } = predict(use, row, card);
    const tile = /TILE_M=(\d+) TILE_N=(\d+)/.exec(row.constants);
    const name = tile ? `${row.shader} ${tile[1]}x${tile[2]}` : row.shader;
    const entry = entries.get(name) ?? { uses: 0, us: 0, byBound: new Map() };
    entries.set(name, { ...entry, uses: entry.uses + 1, us: entry.us + us });
    add(entry.byBound, bound, us);
    add(bounds, bound, us);
  }
  const total = [...bounds.values()].reduce((sum, us) => sum + us, 0);
  const rows = [...entries].map(([kernel, { uses, us, byBound }]) => ({ kernel, uses, us, bound: largest(byBound) }));
  return {
    card: card.name,
    family: card.family,
    proxy: card.proxy,
    ms: total / 1000,
    bounds: Object.fromEntries(
      BOUNDS.flatMap((name) => (bounds.has(name) ? [[name, (bounds.get(name) ?? 0) / total]] : [])),
    ),
    kernels: rows.sort((a, b) => b.us - a.us),
  };
}

function largest(byBound: ReadonlyMap<BoundName, number>): BoundName {
  const [first = "launch"] = [...byBound].sort(([, a], [, b]) => b - a).map(([name]) => name);
  return first;
}

/** Milliseconds a picture at 256 x 256 on a GTX 1080 (paper, section 4.1). */
const PAPER_MS = 12;
const SHOWN = 12;

/** Lines for people. */
export function showPrediction(
  { arch, width, size, batch, train }: Workload,
  networks: readonly PredictedNetwork[],
): string[] {
  const isPapers = !train && arch !== "unet" && width === 64 && size === 256 && batch === 1;
  return [
    "A PREDICTION from listings and published figures of the cards. Nothing was measured.",
    ...networks.flatMap(({ card, family, proxy, ms, bounds, kernels }) => [
      `${card}${proxy ? ` (listings of ${family} stand for its own)` : ` (${family})`}: ${ms.toFixed(2)} ms${isPapers ? `; the paper's on a GTX 1080: ${PAPER_MS} ms` : ""}; ${Object.entries(
        bounds,
      )
        .map(([name, share]) => `${name} ${(100 * share).toFixed(0)} %`)
        .join(", ")}`,
      ...kernels
        .slice(0, SHOWN)
        .map(
          ({ kernel, uses, us, bound }) =>
            `  ${kernel.padEnd(44)} x${String(uses).padEnd(4)} ${us.toFixed(0).padStart(7)} us  ${bound}`,
        ),
    ]),
  ];
}
