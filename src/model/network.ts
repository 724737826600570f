/** A model on a device: compiles one plan a resolution and keeps the last few, which share their weights. */
import { ShapeError } from "../errors.js";
import { type CompileOptions, type CompileProgress, compile } from "../graph/compile.js";
import type { Plan, RunOptions, RunResult } from "../graph/plan.js";
import { Runtime, type RuntimeOptions } from "../graph/runtime.js";
import { input, showShape, type Tensor } from "../graph/tensor.js";
import { unet } from "./unet.js";
import type { Model } from "./weights.js";

export interface NetworkOptions extends RuntimeOptions, Pick<CompileOptions, "force" | "tuning" | "planMemory"> {
  /** Plans kept for resolutions seen before; each holds its activations. Default 2. */
  readonly keepPlans?: number;
}

export interface NetworkRunOptions extends RunOptions {
  readonly onProgress?: ((progress: CompileProgress) => void) | undefined;
}

export type NetworkShape = readonly [n: number, h: number, w: number];

export class Network {
  readonly runtime: Runtime;
  private readonly plans = new Map<string, Promise<Plan>>();

  constructor(
    readonly model: Model,
    device: GPUDevice,
    private readonly options: NetworkOptions = {},
  ) {
    this.runtime = new Runtime(device, options);
  }

  /**
   * @param x [N, H, W, 4] of RGB in [0, 1] and the mask, NHWC; H and W multiples of 2^levels
   * @returns a run whose output `y` is [N, H, W, 3], not clamped
   */
  async run(x: Float32Array, shape: NetworkShape, options: NetworkRunOptions = {}): Promise<RunResult> {
    const plan = await this.plan(shape, options);
    return plan.run({ x }, options);
  }

  /** The plan for a shape, compiled at the first call. */
  async plan(shape: NetworkShape, { signal, onProgress }: NetworkRunOptions = {}): Promise<Plan> {
    if (shape.some((length) => !Number.isInteger(length) || length < 1)) {
      throw new ShapeError(`network: N, H and W must be positive integers, got ${showShape(shape)}`);
    }
    const key = shape.join("x");
    const plan = this.plans.get(key) ?? compile(this.runtime, { y: this.graph(shape).y }, { ...this.options, signal, onProgress });
    this.plans.delete(key);
    this.plans.set(key, plan); // most recent last
    plan.catch(() => this.plans.delete(key));
    await plan;
    await this.forget(this.options.keepPlans ?? 2);
    return plan;
  }

  /** The graph for a shape, each level's result included: for tests and tools. */
  graph([n, h, w]: NetworkShape): { y: Tensor; levels: readonly Tensor[] } {
    return unet(this.model.layers, this.model.config, input("x", [n, h, w, 4]));
  }

  /** Frees every buffer. The device stays open. */
  async dispose(): Promise<void> {
    await this.forget(0);
    this.runtime.dispose();
  }

  private async forget(keep: number): Promise<void> {
    for (const [key, plan] of [...this.plans].slice(0, Math.max(0, this.plans.size - keep))) {
      this.plans.delete(key);
      const settled = await plan.catch(() => null);
      await settled?.dispose();
    }
  }
}
