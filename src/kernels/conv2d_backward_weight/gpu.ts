/** The variants of a weight gradient for real GPUs; without a tuning table the one that is estimated to be fastest. */
import type { Capabilities, NodePlan, Problem, Variant } from "../../graph/op.js";
import { GEMM_TILES, sliced } from "../gemm_tiles.js";
import { type GpuProfile, profileOf } from "../gpu_profile.js";
import { acceptsImplicitGemm, asGemm, planImplicitGemm } from "./implicit_gemm.js";
import type { Conv2dBackwardWeightAttrs } from "./op.js";
import { acceptsWinogradGpu, planWinogradGpu, winogradTime } from "./winograd_gpu.js";

type WeightProblem = Problem<Conv2dBackwardWeightAttrs>;

interface Candidate {
  readonly name: string;
  accepts(problem: WeightProblem): boolean;
  /** Estimated, in microseconds. */
  time(problem: WeightProblem, gpu?: GpuProfile): number;
  plan(problem: WeightProblem, gpu?: GpuProfile): NodePlan;
}

/** Of the tiles those that are worth telling apart here: the pixels are cut into slices to fill the device in any case. */
const TILES = ["128x128", "64x64", "64x16"];

const CANDIDATES: readonly Candidate[] = [
  {
    name: "winograd_f4",
    accepts: acceptsWinogradGpu,
    time: winogradTime,
    plan: (p, gpu) => planWinogradGpu(p, undefined, undefined, gpu),
  },
  ...GEMM_TILES.filter(({ name }) => TILES.includes(name)).map((tile) => ({
    name: `implicit_gemm_${tile.name}`,
    accepts: (problem: WeightProblem) => acceptsImplicitGemm(problem, tile),
    time: (problem: WeightProblem, gpu?: GpuProfile) => sliced(asGemm(problem), tile, undefined, gpu).time,
    plan: (problem: WeightProblem, gpu?: GpuProfile) => planImplicitGemm(problem, tile, undefined, gpu),
  })),
];

/** Estimates of the variants that accept a problem, in microseconds, the fastest first. */
export const estimates = (
  problem: WeightProblem,
  gpu?: GpuProfile,
): readonly (readonly [name: string, time: number])[] =>
  CANDIDATES.filter((candidate) => candidate.accepts(problem))
    .map((candidate) => [candidate.name, candidate.time(problem, gpu)] as const)
    .sort(([, a], [, b]) => a - b);

export const gpuVariants: readonly Variant<Conv2dBackwardWeightAttrs>[] = CANDIDATES.map(({ name, accepts, plan }) => ({
  name,
  features: [],
  accepts,
  suits: (problem: WeightProblem, capabilities: Capabilities) =>
    !capabilities.software && estimates(problem, profileOf(capabilities))[0]?.[0] === name,
  plan: (problem: WeightProblem, capabilities: Capabilities) => plan(problem, profileOf(capabilities)),
}));
