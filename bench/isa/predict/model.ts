/**
 * A prediction, and no measurement: how long a card would take for a dispatch, from what its compiler made of the kernel
 * and what its maker publishes. The larger of six times, each as if it were alone:
 *
 * - issue: clocks to hand out the instructions of all subgroups on the busiest unit, slow multiplications at their rate;
 * - latency: turns of the loop that wait for loads because too few subgroups are there to fill the gap;
 * - lds: bytes of workgroup memory;
 * - cache: bytes that all threads load, rereads counted in; what the last cache gives;
 * - memory: operands that do not fit the last cache, and weights, once;
 * - launch: what a pass costs that waits for the one before.
 *
 * Left out: bank conflicts, a second operation a clock (RDNA 3), clocks that fall, the driver's gaps.
 */
import type { KernelFigures } from "../figures.js";
import type { UsedKernel } from "../messages.js";
import type { Card } from "./cards.js";

export const BOUNDS = ["issue", "latency", "lds", "cache", "memory", "launch"] as const;
export type BoundName = (typeof BOUNDS)[number];

export interface Predicted {
  /** Microseconds. */
  readonly us: number;
  readonly bound: BoundName;
}

/** Microseconds between two passes, of which the second waits for the first: an assumption. */
const PASS_US = 2.5;
/** Clocks until a load from the caches arrives, and one from workgroup memory: about what is published of both makers' cards. */
const LOAD_CLOCKS = 500;
const LDS_CLOCKS = 100;
/** Share of the published bandwidths that is reached at best. */
const REACHED = 0.85;

type Use = Pick<UsedKernel, "workgroups" | "invocations" | "flops" | "bytes" | "constantBytes" | "multiplyAdds">;

export function predict(use: Use, figures: KernelFigures, card: Card): Predicted {
  const times: Record<BoundName, number> = {
    ...arithmeticTimes(use, figures, card),
    ...memoryTimes(use, figures, card),
    launch: PASS_US,
  };
  const bound = BOUNDS.reduce((worst, name) => (times[name] > times[worst] ? name : worst));
  // The first workgroups of a pass and the last of the one before overlap with nothing.
  return { us: bound === "launch" ? PASS_US : PASS_US + times[bound], bound };
}

/** Threads of a workgroup; where they are not known a subgroup. */
const threadsOf = ({ invocations, workgroups }: Use, { lanes }: KernelFigures): number =>
  invocations === null || workgroups === 0 ? lanes : invocations / workgroups;

/** Times that a thread goes through the hottest loop. */
export function turnsOf(use: Use, figures: KernelFigures): number {
  const { loop } = figures;
  const threads = Math.max(1, threadsOf(use, figures) * use.workgroups);
  if (loop.whole) return 1;
  if (loop.multiplyAdds > 0 && use.multiplyAdds !== null) return use.multiplyAdds / loop.multiplyAdds;
  if (loop.multiplyAdds > 0 && use.flops > 0) return Math.max(1, use.flops / 2 / threads / loop.multiplyAdds);
  if (loop.memoryBytes > 0) return Math.max(1, use.bytes / threads / loop.memoryBytes);
  return 1;
}

/** Threads that a unit holds at once: the compiler's count is of subgroups of 32 a SIMD on RDNA, of 64 on GCN. */
function residentThreads({ waves }: KernelFigures, { lanes }: Card): number {
  const [subgroup, simds] = lanes === 16 ? [64, 4] : [32, 2];
  return Math.min(2048, waves * subgroup * simds);
}

function arithmeticTimes(use: Use, figures: KernelFigures, card: Card) {
  const { loop } = figures;
  const threads = threadsOf(use, figures);
  const turns = turnsOf(use, figures);
  const subgroups = Math.ceil(threads / 32);
  // Whole workgroups go to units; the busiest has as many as there are rounds.
  const perUnit = Math.ceil(use.workgroups / card.units);
  const atOnce = Math.max(1, Math.min(perUnit, Math.floor(residentThreads(figures, card) / Math.max(32, threads))));
  const slow = loop.multiplications * (card.multiplication - 1) + loop.transcendental * 3;
  const vector = (loop.vector + slow) * (32 / card.lanes);
  // A subgroup of 64 has one stream of scalar instructions for two of 32.
  const scalar = (loop.scalar * 32) / figures.lanes;
  const clocks = card.scalarUnit ? Math.max(vector, scalar) : vector + scalar;
  const onSimd = (workgroups: number): number => Math.max(1, (workgroups * subgroups) / card.simds);
  const issue = onSimd(perUnit) * turns * clocks;
  const wait = Math.max(clocks, loop.memory > 0 ? LOAD_CLOCKS : 0) + (loop.lds > 0 ? LDS_CLOCKS : 0);
  const latency = Math.max(1, perUnit / atOnce) * turns * Math.max(wait, onSimd(atOnce) * clocks);
  const lds = (perUnit * threads * turns * loop.ldsBytes) / card.ldsBytesPerClock;
  const us = (count: number): number => count / (1000 * card.ghz);
  return { issue: us(issue), latency: latency > 1.05 * issue ? us(latency) : 0, lds: us(lds) };
}

function memoryTimes(use: Use, figures: KernelFigures, card: Card) {
  const { loop } = figures;
  const threads = threadsOf(use, figures) * use.workgroups;
  const loaded = Math.max(use.bytes, threads * turnsOf(use, figures) * loop.memoryBytes);
  const between = use.bytes - use.constantBytes;
  const fits = between <= card.cacheMB * 1e6 * 0.5;
  const memory = use.constantBytes + (fits ? 0 : between);
  const us = (bytes: number, gbps: number): number => bytes / (1000 * gbps * REACHED);
  // Rereads beyond the operands are served by caches that lie nearer to the units, of twice the last one's bandwidth.
  return { cache: us(Math.max(use.bytes, loaded / 2), card.cacheGBps), memory: us(memory, card.memoryGBps) };
}
