/** Made-up measurements for the tests of what the bench makes of them. */
import type { Timed } from "../../bench/compare.js";
import type { Roofline } from "../../bench/roofline/roofline.js";
import type { PassTiming } from "../../src/graph/plan.js";

/** 1 GFLOP/s is a million operations a millisecond; 1 GB/s a million bytes. */
export const ROOFLINE: Roofline = {
  peakGflops: 100,
  peakShape: "f32",
  peakF16Gflops: null,
  bandwidthGBps: 10,
  bandwidthShape: "vec4<f32>",
  copyBufferGBps: 20,
  copyBytes: 2 ** 26,
  saturatingThreads: 1024,
  passMs: 0.01,
};

let nextNode = 0;
export const pass = (change: Partial<PassTiming> = {}): PassTiming => ({
  shader: "conv2d_direct",
  op: "conv2d",
  variant: "direct",
  node: "down.1",
  nodeId: nextNode++,
  flops: 200e6,
  bytes: 5e6,
  minBytes: 4e6,
  invocations: 65536,
  workgroups: [1024, 1, 1],
  startMs: 0,
  ms: 4,
  ...change,
});

export const timed = (kernels: [string, string, number, number?][], model?: number): Timed => ({
  date: "2026-01-01T00:00:00.000Z",
  adapter: { name: "some GPU" },
  kernels: kernels.map(([kernel, row, msMedian, spread = 0.01]) => ({
    kernel,
    case: row,
    msMedian,
    msP95: 2 * msMedian,
    spread,
  })),
  ...(model && {
    model: { name: "s2ad", width: 64, levels: 8, size: 256, batch: 1, msMedian: model, msP95: model, spread: 0 },
  }),
});
