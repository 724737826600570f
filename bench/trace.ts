/** Profiled runs as a Chrome trace: open it in ui.perfetto.dev or chrome://tracing. */
import type { PassTiming } from "../src/graph/plan.js";
import { byNode, kernelOf, msOf } from "./breakdown.js";
import { costOf, floored, limitOf } from "./floors.js";
import type { Roofline } from "./roofline/roofline.js";

/** One profiled run. */
export interface TraceTrack {
  /** `forward`, `training step`. */
  readonly name: string;
  readonly passes: readonly PassTiming[];
}

export interface TraceEvent {
  readonly name: string;
  /** X: a slice; M: metadata; C: a counter. */
  readonly ph: "X" | "M" | "C";
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts?: number;
  readonly dur?: number;
  readonly cat?: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface Trace {
  readonly traceEvents: readonly TraceEvent[];
  readonly displayTimeUnit: "ms";
  readonly otherData: Readonly<Record<string, string>>;
}

/**
 * A process a run; in it, rows of passes, with the node around them where it has several, and a counter of GFLOP/s.
 * Passes that overlap on the GPU get rows of their own, for slices of one row must nest.
 */
export function traceOf(
  tracks: readonly TraceTrack[],
  roofline: Roofline | null,
  facts: Readonly<Record<string, string>>,
): Trace {
  const traceEvents = tracks.flatMap(({ name, passes }, index): TraceEvent[] => {
    const pid = index + 1;
    const rows = new Rows();
    const nodes = byNode(passes)
      .map((node) => ({ node, ...spanOf(node) }))
      .sort((a, b) => a.start - b.start);
    const slices = nodes.flatMap(({ node, start, end }) => {
      const tid = rows.place(start, end);
      return [...nodeSlice(node, pid, tid, start, end, roofline), ...passSlices(node, pid, tid)];
    });
    const metadata = (kind: string, tid: number, label: string): TraceEvent => ({
      name: kind,
      ph: "M",
      pid,
      tid,
      args: { name: label },
    });
    return [
      metadata("process_name", 0, name),
      ...Array.from({ length: rows.count }, (_, tid) =>
        metadata("thread_name", tid + 1, tid === 0 ? "passes" : `passes, overlapping ${tid}`),
      ),
      ...slices,
      ...nodes.flatMap(({ node, start, end }) => rates(node, pid, start, end)),
    ];
  });
  return { traceEvents, displayTimeUnit: "ms", otherData: facts };
}

class Rows {
  private readonly ends: number[] = [];

  /** @returns the first row that is free from `start` on; rows count from 1 */
  place(start: number, end: number): number {
    const free = this.ends.findIndex((taken) => taken <= start);
    const row = free < 0 ? this.ends.length : free;
    this.ends[row] = end;
    return row + 1;
  }

  get count(): number {
    return this.ends.length;
  }
}

function spanOf(node: readonly PassTiming[]): { start: number; end: number } {
  return {
    start: Math.min(...node.map(({ startMs }) => startMs)),
    end: Math.max(...node.map(({ startMs, ms }) => startMs + ms)),
  };
}

const US_PER_MS = 1000;

/** The node as a whole, where it is more than its one pass. */
function nodeSlice(
  node: readonly PassTiming[],
  pid: number,
  tid: number,
  start: number,
  end: number,
  roofline: Roofline | null,
): TraceEvent[] {
  const [first] = node;
  if (!first) return [];
  const ms = msOf(node);
  const { flops, bytes, movedBytes, dispatches } = costOf(node);
  const { floorMs, percentOfFloor, bound } = floored(node, roofline, ms);
  const args = {
    op: first.op,
    variant: first.variant,
    node: first.node,
    ...(dispatches === 1 && { shader: first.shader, workgroups: first.workgroups.join(" x ") }),
    passes: dispatches,
    ms,
    flops,
    bytes,
    movedBytes,
    "GFLOP/s": ms > 0 ? flops / ms / 1e6 : 0,
    "GB/s": ms > 0 ? movedBytes / ms / 1e6 : 0,
    ...(floorMs !== null && { floorMs, percentOfFloor, bound, limit: limitOf(node, roofline, ms) }),
  };
  const times = { ts: start * US_PER_MS, dur: (end - start) * US_PER_MS };
  return [{ name: kernelOf(first), cat: first.op, ph: "X", pid, tid, ...times, args }];
}

/** The passes inside a node of several. */
function passSlices(node: readonly PassTiming[], pid: number, tid: number): TraceEvent[] {
  if (node.length === 1) return [];
  return node.map(({ shader, op, startMs, ms, bytes, workgroups, invocations }) => ({
    name: shader,
    cat: op,
    ph: "X",
    pid,
    tid,
    ts: startMs * US_PER_MS,
    dur: ms * US_PER_MS,
    args: {
      shader,
      movedBytes: bytes,
      "GB/s": ms > 0 ? bytes / ms / 1e6 : 0,
      workgroups: workgroups.join(" x "),
      ...(invocations !== null && { invocations }),
    },
  }));
}

function rates(node: readonly PassTiming[], pid: number, start: number, end: number): TraceEvent[] {
  const { flops } = costOf(node);
  const counter = (at: number, value: number): TraceEvent => ({
    name: "GFLOP/s of the plain algorithm",
    ph: "C",
    pid,
    tid: 0,
    ts: at * US_PER_MS,
    args: { value },
  });
  return end > start ? [counter(start, flops / (end - start) / 1e6), counter(end, 0)] : [];
}
