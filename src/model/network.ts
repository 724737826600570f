/** A model on a device: compiles one plan a resolution and keeps the last few, which share their weights. */
import { AbortedError, ShapeError, UsageError, WeightsError } from "../errors.js";
import { type CompileOptions, type CompileProgress, compile } from "../graph/compile.js";
import { checkDtype, F16_MAX } from "../graph/elements.js";
import type { Plan, RunOptions, RunResult } from "../graph/plan.js";
import { Runtime, type RuntimeOptions } from "../graph/runtime.js";
import { type DType, input, showShape, type Tensor } from "../graph/tensor.js";
import { firstNonFinite } from "../io/tensor_data.js";
import { unet } from "./unet.js";
import type { Model } from "./weights.js";

export interface NetworkOptions extends RuntimeOptions, Pick<CompileOptions, "force" | "tuning" | "planMemory"> {
  /** Plans kept for resolutions seen before; each holds its activations. Default 2. */
  readonly keepPlans?: number;
  /**
   * How weights and activations are stored; sums are f32 either way, as are what goes in and what comes out. f16 halves the
   * memory and needs a device with the feature shader-f16. Default f32.
   */
  readonly dtype?: DType | undefined;
}

export interface NetworkRunOptions extends RunOptions {
  readonly onProgress?: ((progress: CompileProgress) => void) | undefined;
}

/**
 * What a run answered, once it is known to be numbers.
 * @throws WeightsError where it is not
 */
export function finiteOutput({ outputs }: Pick<RunResult, "outputs">, dtype: DType): Float32Array {
  const data = outputs.y ?? new Float32Array(0);
  if (firstNonFinite(data) < 0) return data;
  throw new WeightsError(`the network's output is not finite: ${causeOfNonFinite(dtype)}`);
}

/** Why a network's output may hold what is no number. */
export const causeOfNonFinite = (dtype: DType): string =>
  "its weights are damaged, or their training diverged" +
  (dtype === "f16" ? `, or values passed ${F16_MAX}, the largest that f16 holds: try dtype f32` : "");

export type NetworkShape = readonly [n: number, h: number, w: number];

export class Network {
  readonly runtime: Runtime;
  private readonly plans = new Map<string, Promise<Plan>>();
  /** How many are about to use a plan, by its key: it is not to be forgotten. */
  private readonly users = new Map<string, number>();
  private disposed = false;

  /** @throws AdapterError where the device has no f16 and the options ask for it */
  constructor(
    readonly model: Model,
    device: GPUDevice,
    private readonly options: NetworkOptions = {},
  ) {
    this.runtime = new Runtime(device, options);
    checkDtype(this.runtime, this.dtype);
  }

  get dtype(): DType {
    return this.options.dtype ?? "f32";
  }

  /**
   * @param x [N, H, W, 4] of RGB in [0, 1] and the mask, NHWC; H and W multiples of 2^levels
   * @returns a run whose output `y` is [N, H, W, 3], not clamped
   */
  async run(x: Float32Array, shape: NetworkShape, options: NetworkRunOptions = {}): Promise<RunResult> {
    return this.withPlan(shape, options, (plan) => plan.run({ x }, options));
  }

  /** Hands the plan for a shape to `use`; it is kept at least until that is done. */
  async withPlan<T>(shape: NetworkShape, options: NetworkRunOptions, use: (plan: Plan) => Promise<T>): Promise<T> {
    const key = keyOf(shape);
    this.users.set(key, (this.users.get(key) ?? 0) + 1);
    try {
      return await use(await this.plan(shape, options));
    } finally {
      this.users.set(key, (this.users.get(key) ?? 1) - 1);
    }
  }

  /** The plan for a shape, compiled at the first call. It is disposed of once `keepPlans` others have been asked for. */
  async plan(shape: NetworkShape, { signal, onProgress }: NetworkRunOptions = {}): Promise<Plan> {
    if (shape.some((length) => !Number.isInteger(length) || length < 1)) {
      throw new ShapeError(`network: N, H and W must be positive integers, got ${showShape(shape)}`);
    }
    if (this.disposed) throw new UsageError("network: it was disposed of");
    const key = keyOf(shape);
    const keep = this.options.keepPlans ?? 2;
    // One of those kept makes room for the new one; one stays, for the weights that plans share.
    if (!this.plans.has(key)) await this.forget(Math.max(1, keep - 1));
    const plan = this.plans.get(key) ?? this.compile(shape, { signal, onProgress });
    this.plans.delete(key);
    this.plans.set(key, plan); // most recent last
    try {
      await plan;
    } catch (error) {
      if (this.plans.get(key) === plan) this.plans.delete(key);
      // Not ours to end with, when it was another caller's signal that ended a compilation we only waited for.
      if (error instanceof AbortedError && !signal?.aborted) return this.plan(shape, { signal, onProgress });
      throw error;
    }
    await this.forget(keep);
    return plan;
  }

  /** The graph for a shape, each level's result included: for tests and tools. */
  graph([n, h, w]: NetworkShape): { y: Tensor; levels: readonly Tensor[] } {
    return unet(this.model.layers.as(this.dtype), this.model.config, input("x", [n, h, w, 4]));
  }

  /** Frees every buffer. The device stays open. */
  async dispose(): Promise<void> {
    this.disposed = true;
    await this.forget(0, () => true);
    this.runtime.dispose();
  }

  private compile(shape: NetworkShape, how: NetworkRunOptions): Promise<Plan> {
    return compile(this.runtime, { y: this.graph(shape).y }, { ...this.options, ...how });
  }

  /** Disposes of all plans but the last `keep`, and but those about to be used. */
  private async forget(keep: number, mayForget = (key: string) => !this.users.get(key)): Promise<void> {
    const old = [...this.plans].slice(0, Math.max(0, this.plans.size - keep)).filter(([key]) => mayForget(key));
    for (const [key, plan] of old) {
      this.plans.delete(key);
      const settled = await plan.catch(() => null);
      await settled?.dispose();
    }
  }
}

const keyOf = (shape: NetworkShape): string => shape.join("x");
