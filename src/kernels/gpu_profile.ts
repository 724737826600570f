/**
 * The size of GPU that the estimates of products are made for. WebGPU does not say how many units a GPU has; its vendor tells
 * those that are built into a processor from the rest, NVIDIA's architecture the old ones, and no more is used. AMD's may be of
 * any size, and are taken for middling ones: `s2am tune` measures instead.
 */
import type { Capabilities } from "../graph/op.js";

export interface GpuProfile {
  /** Compute units, streaming multiprocessors. */
  readonly units: number;
  /** Multiply-adds of a unit in a microsecond. */
  readonly fmasAUnit: number;
  /** Bytes in a microsecond, from memory and from the last cache. */
  readonly memoryBytes: number;
  readonly cacheBytes: number;
}

/** An H100 at 1.7 GHz. */
export const LARGE_GPU: GpuProfile = { units: 132, fmasAUnit: 128 * 1700, memoryBytes: 3.0e6, cacheBytes: 5.0e6 };

/** Twelve units of 64 lanes at 2.7 GHz beside two channels of a processor's memory, as in a Radeon 780M. */
export const INTEGRATED_GPU: GpuProfile = { units: 12, fmasAUnit: 64 * 2700, memoryBytes: 1.02e5, cacheBytes: 9.0e5 };

/** Twenty units of 128 lanes at 1.73 GHz, as in a GTX 1080. */
export const SMALL_GPU: GpuProfile = { units: 20, fmasAUnit: 128 * 1733, memoryBytes: 3.2e5, cacheBytes: 9.0e5 };

/** Sixty units of 64 lanes at 1.8 GHz, as in a Radeon RX 6800. */
export const MIDDLING_GPU: GpuProfile = { units: 60, fmasAUnit: 64 * 1815, memoryBytes: 5.12e5, cacheBytes: 1.66e6 };

/** As WebGPU spells them. */
const INTEGRATED_VENDORS = ["intel", "apple", "qualcomm", "arm", "img-tec", "samsung"];

const SMALL_ARCHITECTURES = ["maxwell", "pascal"];

export function profileOf({
  vendor = "",
  architecture = "",
}: Pick<Capabilities, "vendor" | "architecture">): GpuProfile {
  if (INTEGRATED_VENDORS.includes(vendor)) return INTEGRATED_GPU;
  if (vendor === "amd") return MIDDLING_GPU;
  return vendor === "nvidia" && SMALL_ARCHITECTURES.includes(architecture) ? SMALL_GPU : LARGE_GPU;
}
