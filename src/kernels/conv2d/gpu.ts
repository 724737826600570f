/**
 * The variants for real GPUs, of a convolution and of the transposed ones that are convolutions in disguise. Where no tuning
 * table says which to take, it is the one that is estimated to be the fastest.
 */
import type { Capabilities, NodePlan, Variant } from "../../graph/op.js";
import type { ActivationAttrs } from "../activation.js";
import { GEMM_TILES, sliced } from "../gemm_tiles.js";
import { type GpuProfile, profileOf } from "../gpu_profile.js";
import { asGemm, type ConvolutionProblem, type Window } from "./as_gemm.js";
import { acceptsImplicitGemm, planImplicitGemm } from "./implicit_gemm.js";
import { acceptsStream, planStream, streamTime } from "./stream.js";
import { acceptsWinogradGpu, FORMS, planWinogradGpu, winogradTime } from "./winograd_gpu.js";

interface Candidate {
  readonly name: string;
  accepts(problem: ConvolutionProblem, window: Window, capabilities: Capabilities): boolean;
  /** Estimated, in microseconds. */
  time(problem: ConvolutionProblem, window: Window, gpu: GpuProfile): number;
  plan(problem: ConvolutionProblem, window: Window, gpu: GpuProfile): NodePlan;
}

const CANDIDATES: readonly Candidate[] = [
  ...FORMS.map((form) => ({
    name: form.name,
    accepts: (problem: ConvolutionProblem, window: Window, capabilities: Capabilities) =>
      acceptsWinogradGpu(problem, window, form, capabilities),
    time: (problem: ConvolutionProblem, _: Window, gpu: GpuProfile) => winogradTime(problem, form, gpu),
    plan: (problem: ConvolutionProblem, window: Window, gpu: GpuProfile) =>
      planWinogradGpu(problem, window, form, undefined, gpu),
  })),
  { name: "stream", accepts: acceptsStream, time: streamTime, plan: planStream },
  ...GEMM_TILES.map((tile) => ({
    name: `implicit_gemm_${tile.name}`,
    accepts: (problem: ConvolutionProblem, window: Window, capabilities: Capabilities) =>
      acceptsImplicitGemm(problem, window, tile, capabilities),
    time: (problem: ConvolutionProblem, window: Window, gpu: GpuProfile) =>
      sliced(asGemm(problem, window), tile, undefined, gpu).time,
    plan: (problem: ConvolutionProblem, window: Window, gpu: GpuProfile) =>
      planImplicitGemm(problem, window, tile, undefined, gpu),
  })),
];

/** Estimates of the variants that accept a problem, in microseconds, the fastest first. */
export const estimates = (
  problem: ConvolutionProblem,
  window: Window,
  capabilities: Capabilities,
): readonly (readonly [name: string, time: number])[] =>
  CANDIDATES.filter((candidate) => candidate.accepts(problem, window, capabilities))
    .map((candidate) => [candidate.name, candidate.time(problem, window, profileOf(capabilities))] as const)
    .sort(([, a], [, b]) => a - b);

/** @param windowOf the convolution that a problem is, or null where it is none */
export function gpuVariants<Attrs extends ActivationAttrs & { readonly reluInput?: boolean }>(
  windowOf: (problem: Parameters<Variant<Attrs>["plan"]>[0]) => Window | null,
): readonly Variant<Attrs>[] {
  return CANDIDATES.map(({ name, accepts, plan }) => ({
    name,
    features: [],
    f16: true,
    accepts: (problem, capabilities) => {
      const window = windowOf(problem);
      return window !== null && accepts(problem, window, capabilities);
    },
    // On a software adapter barriers cost more than they save.
    suits: (problem, capabilities) => {
      const window = windowOf(problem);
      return !capabilities.software && window !== null && estimates(problem, window, capabilities)[0]?.[0] === name;
    },
    plan: (problem, capabilities) => {
      const window = windowOf(problem);
      if (!window) throw new Error(`${problem.op}: ${name} was asked to plan what it declines`);
      return plan(problem, window, profileOf(capabilities));
    },
  }));
}
