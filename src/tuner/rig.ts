/**
 * One problem set up on a device, so that its variants can be run as a plan would run them: the same views of storages of
 * the same size, the same passes. Outputs are compared with the float64 oracle, then runs are timed on the GPU's clock.
 *
 * A graph of one node could not have these views, and a plan of the whole network a forced variant would need the network's
 * memory, its weights repacked for each variant, and a run of everything for a sample of anything.
 */

import { GPU_COPY_DST, GPU_MAP_MODE_READ, GPU_MAP_READ, type GpuAllocation } from "../gpu/memory.js";
import { scoped } from "../gpu/scopes.js";
import type { ShaderBinding } from "../gpu/shader.js";
import { alignBytes, bindPass, checkWorkgroups, encodeDispatch } from "../graph/dispatch.js";
import { decode, encode } from "../graph/elements.js";
import type { NodePlan, Pass, Scratch, TensorView, Variant } from "../graph/op.js";
import { scratchOf } from "../graph/op.js";
import type { Dispatch } from "../graph/plan.js";
import { UniformBuffers } from "../graph/plan_buffers.js";
import { isPreparedOnce } from "../graph/problem.js";
import { BUFFER_USAGE, type Runtime } from "../graph/runtime.js";
import { bytesOf, sizeOf } from "../graph/tensor.js";
import type { AnySuite } from "../kernels/suite.js";
import { type HostProblem, hostProblem } from "./host_problem.js";
import type { TunableProblem } from "./problems.js";
import type { Stopwatch } from "./stopwatch.js";

export interface Verdict {
  /** The largest error as a share of what the tolerance allows: over 1 is wrong. */
  readonly worst: number;
  /** The worst element, for a person. */
  readonly detail: string;
}

/** A variant, bound and checked. */
export interface Prepared extends Verdict {
  readonly name: string;
  /** Milliseconds of `repeats` runs. */
  time(repeats: number): Promise<number>;
  dispose(): void;
}

export class ProblemRig {
  private readonly host: HostProblem;
  private readonly buffers = new Map<number, GpuAllocation>();
  private readonly release: (() => void)[] = [];

  /** @throws OutOfMemoryError where the device has no room for the problem */
  constructor(
    private readonly runtime: Runtime,
    private readonly tunable: TunableProblem,
    suite: AnySuite,
    private readonly stopwatch: Stopwatch,
  ) {
    this.host = hostProblem(tunable, suite);
    try {
      for (const [storage, bytes] of tunable.storageBytes) {
        this.buffers.set(
          storage,
          this.keep(runtime.memory.create(`storage ${storage}`, alignBytes(bytes), BUFFER_USAGE)),
        );
      }
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /**
   * Compiles a variant, runs it once and compares sampled outputs.
   * @throws OutOfMemoryError where the device has no room for its scratch
   */
  async prepare(variant: Variant<unknown>): Promise<Prepared> {
    const { runtime, stopwatch } = this;
    const plan = variant.plan(this.tunable.problem, runtime.capabilities);
    const release: (() => void)[] = [];
    const dispose = (): void => {
      for (const free of release) free();
    };
    try {
      const { prepare, run } = await this.bind(plan, release);
      this.fill();
      // What repacks constants runs once in a plan, what repacks what may change in every run.
      const every = isPreparedOnce(plan.prepare ?? []) ? run : [...prepare, ...run];
      const verdict = await this.check([...prepare, ...run]);
      return { name: variant.name, ...verdict, time: (repeats) => stopwatch.time(every, repeats), dispose };
    } catch (error) {
      dispose();
      throw error;
    }
  }

  dispose(): void {
    for (const free of this.release) free();
  }

  private keep(allocation: GpuAllocation): GpuAllocation {
    this.release.push(() => allocation.destroy());
    return allocation;
  }

  private async bind(
    { prepare = [], passes }: NodePlan,
    release: (() => void)[],
  ): Promise<{ prepare: Dispatch[]; run: Dispatch[] }> {
    const { runtime } = this;
    const all = [...prepare, ...passes];
    for (const pass of all) checkWorkgroups(runtime.device.limits, pass);
    const pipelines = await runtime.wait(Promise.all(all.map((pass) => runtime.pipelines.get(pass))));
    const scratch = new Map<Scratch, GPUBuffer>();
    const uniforms = new UniformBuffers(runtime, release);
    return scoped(runtime.device, `binding ${this.tunable.key}`, () => {
      for (const piece of new Set(all.flatMap(scratchOf))) {
        const allocation = runtime.memory.create(piece.scratch, piece.bytes, BUFFER_USAGE);
        release.push(() => allocation.destroy());
        scratch.set(piece, allocation.buffer);
      }
      const resources = {
        of: (operand: Scratch | TensorView): GPUBufferBinding => {
          const buffer = "scratch" in operand ? scratch.get(operand) : this.buffers.get(operand.storage)?.buffer;
          if (!buffer) throw new Error(`${this.tunable.key}: a pass binds what is not part of the problem`);
          if ("scratch" in operand || operand.base === null) return { buffer };
          const element = bytesOf(operand.dtype);
          return { buffer, offset: operand.base * element, size: alignBytes(sizeOf(operand.shape) * element) };
        },
        params: (pass: Pass, binding: ShaderBinding): GPUBuffer => uniforms.of(pass, binding),
      };
      const bound = all.map((pass, i) => bindPass(runtime, pass, pipelines[i] as GPUComputePipeline, resources));
      return { prepare: bound.slice(0, prepare.length), run: bound.slice(prepare.length) };
    });
  }

  /** Inputs as they were, also those that a run overwrites; NaN wherever only outputs lie, so that nothing is left of others'. */
  private fill(): void {
    const { queue } = this.runtime.device;
    for (const [storage, { buffer, size }] of this.buffers) {
      const held = this.host.storages.get(storage);
      if (held) {
        queue.writeBuffer(buffer, 0, encode(`storage ${storage}`, held.values, held.dtype));
        continue;
      }
      for (let at = 0; at < size; at += NANS.byteLength) {
        queue.writeBuffer(buffer, at, NANS, 0, Math.min(NANS.length, (size - at) / 4));
      }
    }
  }

  private async check(dispatches: readonly Dispatch[]): Promise<Verdict> {
    const { runtime, host } = this;
    const { device } = runtime;
    const staging = runtime.memory.create("samples", 4 * host.samples.length, GPU_MAP_READ | GPU_COPY_DST);
    try {
      await scoped(device, `checking ${this.tunable.key}`, () => {
        const encoder = device.createCommandEncoder();
        const encoding = encoder.beginComputePass();
        for (const dispatch of dispatches) encodeDispatch(encoding, dispatch);
        encoding.end();
        host.samples.forEach(({ storage, at, dtype }, i) => {
          const buffer = this.buffers.get(storage)?.buffer;
          if (buffer)
            encoder.copyBufferToBuffer(buffer, 4 * Math.floor((bytesOf(dtype) * at) / 4), staging.buffer, 4 * i, 4);
        });
        device.queue.submit([encoder.finish()]);
      });
      await runtime.wait(staging.buffer.mapAsync(GPU_MAP_MODE_READ));
      return judge(host, staging.buffer.getMappedRange());
    } finally {
      staging.destroy();
    }
  }
}

/** Four bytes that are NaN as one f32 and as two f16. */
const NANS = new Uint32Array(1 << 18).fill(0x7fc07fc0);

/** @param words four bytes a sample, with the sample's element in them */
function judge({ samples }: HostProblem, words: ArrayBuffer): Verdict {
  if (samples.length === 0) return { worst: Number.POSITIVE_INFINITY, detail: "no output could be checked" };
  let verdict: Verdict = { worst: 0, detail: "" };
  samples.forEach(({ output, index, at, dtype, expected, tolerance }, i) => {
    const [found = Number.NaN] = decode(words, 4 * i + (dtype === "f16" ? 2 * (at % 2) : 0), 1, dtype);
    const error = Math.abs(found - expected);
    const share = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error / tolerance;
    if (share > verdict.worst) {
      verdict = { worst: share, detail: `output ${output}[${index}] is ${found}, expected ${expected}` };
    }
  });
  return verdict;
}
