/**
 * How far measured times are from what the adapter allows. A floor is the larger of two times: the plain algorithm's
 * operations at the peak, and the operands' bytes (inputs and outputs once, no scratch) at the bandwidth.
 */
import type { PlannedDispatch } from "../src/graph/plan.js";
import type { Roofline } from "./roofline/roofline.js";

export type Bound = "compute" | "memory";

/** What was dispatched, whether timed or not. */
export type Dispatched = Pick<PlannedDispatch, "nodeId" | "flops" | "minBytes" | "bytes" | "invocations">;

export interface Cost {
  /** Of the plain algorithm; a multiply-add is two. */
  readonly flops: number;
  /** The operands' bytes, each once: the same for every variant. */
  readonly bytes: number;
  /** What the passes bind, scratch counted in. */
  readonly movedBytes: number;
  readonly dispatches: number;
}

export interface Floored {
  /** null without a roofline. */
  readonly floorMs: number | null;
  /** The floor as a share of the measured time. */
  readonly percentOfFloor: number | null;
  readonly bound: Bound | null;
}

export function costOf(dispatched: readonly Dispatched[]): Cost {
  const total = (key: "flops" | "minBytes" | "bytes"): number => dispatched.reduce((sum, one) => sum + one[key], 0);
  return {
    flops: total("flops"),
    bytes: total("minBytes"),
    movedBytes: total("bytes"),
    dispatches: dispatched.length,
  };
}

type Peaks = Pick<Roofline, "peakGflops" | "bandwidthGBps">;

export const computeMs = (flops: number, { peakGflops }: Peaks): number => flops / peakGflops / 1e6;
export const memoryMs = (bytes: number, { bandwidthGBps }: Peaks): number => bytes / bandwidthGBps / 1e6;

/** The sum of the nodes' floors, and which of the two halves is the larger in it. `ms` is the time measured for them. */
export function floored(dispatched: readonly Dispatched[], peaks: Peaks | null, ms: number | null): Floored {
  if (!peaks) return { floorMs: null, percentOfFloor: null, bound: null };
  let [compute, memory] = [0, 0];
  for (const { flops, minBytes } of dispatched) {
    // A node's cost stands on its last pass, so a pass stands for its node.
    const [arithmetic, traffic] = [computeMs(flops, peaks), memoryMs(minBytes, peaks)];
    if (arithmetic >= traffic) compute += arithmetic;
    else memory += traffic;
  }
  const floorMs = compute + memory;
  return {
    floorMs,
    percentOfFloor: ms !== null && ms > 0 ? (100 * floorMs) / ms : null,
    bound: compute >= memory ? "compute" : "memory",
  };
}

/** From this share of its floor on, a kernel is as good as at it. */
const AT_THE_LIMIT = 0.6;
/** A cause that explains this share of the time is named. */
const EXPLAINS = 0.5;

/** Traffic is to blame from this multiple of the least on. */
const MUCH_MORE = 1.25;

/**
 * Why a kernel is as far from its floor as it is, in a few words, as far as that can be read off its passes:
 * `compute` or `memory` when it is at that limit; `launch` when starting its passes takes the time; `traffic` when its
 * scratch and rereads do; `threads` when it starts fewer than fill the device; else `instructions`: loads, addresses,
 * barriers and waiting between the multiply-adds.
 */
export function limitOf(dispatched: readonly Dispatched[], roofline: Roofline | null, ms: number): string | null {
  if (!roofline || !(ms > 0)) return null;
  const { floorMs, bound } = floored(dispatched, roofline, ms);
  if (floorMs !== null && bound && floorMs >= AT_THE_LIMIT * ms) return bound;
  const { bytes, movedBytes, dispatches } = costOf(dispatched);
  if (dispatches * roofline.passMs >= EXPLAINS * ms) return dispatches === 1 ? "launch" : `launch x${dispatches}`;
  if (memoryMs(movedBytes, roofline) >= EXPLAINS * ms)
    return movedBytes >= MUCH_MORE * bytes ? `traffic ${(movedBytes / bytes).toFixed(1)}x` : "memory";
  const widest = Math.max(...dispatched.map(({ invocations }) => invocations ?? Number.POSITIVE_INFINITY));
  if (roofline.saturatingThreads !== null && widest < roofline.saturatingThreads) return `threads ${widest}`;
  return "instructions";
}

export const LEGEND = [
  "floor: the larger of the plain algorithm's operations over the peak and its operands' bytes over the bandwidth;",
  "  % is floor over measured. Winograd does fewer operations than the plain algorithm, operands may stay in a cache, and",
  "  f16 or matrix units beat the float32 peak: all three can pass 100 %.",
  "limit: compute, memory (at that limit); launch xN (starting N passes); traffic Nx (bytes of scratch and rereads over the",
  "  least); threads N (too few to fill the device); instructions (loads, addresses, barriers, waiting).",
];
