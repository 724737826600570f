/** What the adapter can do at the best: the yardstick that kernels and networks are held against. */
import { Runtime } from "../../src/graph/runtime.js";
import { type Arithmetic, fmaShapes, measureArithmetic, showShape } from "./arithmetic.js";
import { PassClock } from "./clock.js";
import { type Bandwidth, measureBandwidth, showCopy } from "./memory.js";

export interface Roofline {
  /** float32 multiply-adds from registers, two operations each. */
  readonly peakGflops: number;
  readonly peakShape: string;
  /** The same in float16; null where the device has none. Floors are those of float32. */
  readonly peakF16Gflops: number | null;
  /** Bytes read and written by a copy through a shader, larger than the caches. */
  readonly bandwidthGBps: number;
  readonly bandwidthShape: string;
  /** The same by copyBufferToBuffer, for reference. */
  readonly copyBufferGBps: number;
  readonly copyBytes: number;
  /** The fewest threads that reach 70 % of the peak; null on software adapters. */
  readonly saturatingThreads: number | null;
  /** A pass of one workgroup with nothing to do, timestamps around it. */
  readonly passMs: number;
}

export async function measureRoofline(device: GPUDevice, software: boolean): Promise<Roofline> {
  const runtime = new Runtime(device, { software });
  const clock = new PassClock(runtime);
  try {
    const f32 = await measureArithmetic(runtime, clock, fmaShapes("f32"));
    const f16 = device.features.has("shader-f16")
      ? await measureArithmetic(runtime, clock, fmaShapes("f16", f32.shape))
      : null;
    return roofline(f32, f16, await measureBandwidth(runtime, clock));
  } finally {
    clock.dispose();
    runtime.dispose();
  }
}

const roofline = (f32: Arithmetic, f16: Arithmetic | null, bandwidth: Bandwidth): Roofline => ({
  peakGflops: f32.gflops,
  peakShape: showShape(f32.shape),
  peakF16Gflops: f16?.gflops ?? null,
  bandwidthGBps: bandwidth.gbps,
  bandwidthShape: showCopy(bandwidth.shape),
  copyBufferGBps: bandwidth.copyBufferGbps,
  copyBytes: bandwidth.bytes,
  saturatingThreads: f32.saturatingThreads,
  passMs: f32.passMs,
});

/** Lines for people. */
export const showRoofline = (found: Roofline): string[] => [
  `peak ${found.peakGflops.toFixed(1)} GFLOP/s (${found.peakShape})${found.peakF16Gflops === null ? "" : `, ${found.peakF16Gflops.toFixed(1)} in f16`}`,
  `bandwidth ${found.bandwidthGBps.toFixed(2)} GB/s (${found.bandwidthShape}; copyBufferToBuffer ${found.copyBufferGBps.toFixed(2)}, ${found.copyBytes / 2 ** 20} MiB each way)`,
  `an empty pass takes ${(1000 * found.passMs).toFixed(1)} us${found.saturatingThreads === null ? "" : `; ${found.saturatingThreads} threads reach 70 % of the peak`}`,
];
