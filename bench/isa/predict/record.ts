/** bench/results/isa/predictions.json: what was predicted for each workload and card, for bench:gpu to hold measurements against. */
import { existsSync, readFileSync } from "node:fs";
import * as v from "valibot";
import { InputError } from "../../../src/errors.js";
import { type Workload, workloadName } from "../workload.js";
import { CARDS } from "./cards.js";
import type { PredictedNetwork } from "./network.js";

const KEPT = 10;

const Kernel = v.object({ kernel: v.string(), uses: v.number(), us: v.number(), bound: v.string() });
const PredictionFile = v.object({
  note: v.string(),
  date: v.string(),
  versions: v.record(v.string(), v.string()),
  /** Name of a card, and what an adapter's name contains that is one. */
  cards: v.array(v.object({ name: v.string(), adapter: v.string(), family: v.string(), proxy: v.boolean() })),
  workloads: v.record(
    v.string(),
    v.record(
      v.string(),
      v.object({ ms: v.number(), bounds: v.record(v.string(), v.number()), kernels: v.array(Kernel) }),
    ),
  ),
});
export type PredictionFile = v.InferOutput<typeof PredictionFile>;

/** @throws InputError where there is a file that is none of predictions */
export function readPredictions(file: string): PredictionFile["workloads"] {
  if (!existsSync(file)) return {};
  try {
    return v.parse(PredictionFile, JSON.parse(readFileSync(file, "utf8"))).workloads;
  } catch (cause) {
    throw new InputError(`${file}: no predictions of bench:isa (${(cause as Error).message}): remove it`, { cause });
  }
}

const digits = (value: number): number => +value.toPrecision(3);

/** The file with a workload's predictions in it, those of others kept. */
export function withPrediction(
  old: PredictionFile["workloads"],
  workload: Workload,
  networks: readonly PredictedNetwork[],
  about: Pick<PredictionFile, "date" | "versions">,
): PredictionFile {
  const cards = networks.map(({ card, ms, bounds, kernels }) => [
    card,
    {
      ms: digits(ms),
      bounds: Object.fromEntries(Object.entries(bounds).map(([name, share]) => [name, digits(share)])),
      kernels: kernels.slice(0, KEPT).map((row) => ({ ...row, us: digits(row.us) })),
    },
  ]);
  return {
    note: "Predictions from listings and published figures of the cards (npm run bench:isa -- --predict). Nothing was measured.",
    ...about,
    cards: CARDS.map(({ name, adapter, family, proxy }) => ({ name, adapter, family, proxy })),
    workloads: { ...old, [workloadName(workload)]: Object.fromEntries(cards) },
  };
}

/** One line a kernel. */
export function serializePredictions(file: PredictionFile): string {
  const flat = (text: string): string => text.replace(/\s*\n\s*/g, " ");
  return `${JSON.stringify(file, null, 1).replace(/\{[^{}[\]]*\}/g, flat)}\n`;
}
