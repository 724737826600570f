/** Times dispatches: on the GPU's clock where it has one, else on the wall's. */

import {
  GPU_COPY_DST,
  GPU_COPY_SRC,
  GPU_MAP_MODE_READ,
  GPU_MAP_READ,
  GPU_QUERY_RESOLVE,
  type GpuAllocation,
} from "../gpu/memory.js";
import { scoped } from "../gpu/scopes.js";
import { encodeDispatch } from "../graph/dispatch.js";
import type { Dispatch } from "../graph/plan.js";
import type { Runtime } from "../graph/runtime.js";

interface Clock {
  readonly queries: GPUQuerySet;
  readonly resolved: GpuAllocation;
  readonly staging: GpuAllocation;
}

export class Stopwatch {
  private readonly clock: Clock | null;

  constructor(private readonly runtime: Runtime) {
    const { device, memory } = runtime;
    this.clock = device.features.has("timestamp-query")
      ? {
          queries: device.createQuerySet({ type: "timestamp", count: 2 }),
          resolved: memory.create("timestamps", 16, GPU_QUERY_RESOLVE | GPU_COPY_SRC),
          staging: memory.create("timestamps' read-back", 16, GPU_MAP_READ | GPU_COPY_DST),
        }
      : null;
  }

  /**
   * What a sample should take at least: where the clock is coarse (browsers round it to 65.5 microseconds, the wall's
   * counts in the submission), a short run is repeated until its share of that is small.
   */
  get leastMs(): number {
    return this.clock ? 2 : 20;
  }

  /** @returns milliseconds of all `repeats` together */
  async time(dispatches: readonly Dispatch[], repeats: number): Promise<number> {
    const { runtime, clock } = this;
    const { device } = runtime;
    const started = performance.now();
    await scoped(device, "timing", () => {
      const encoder = device.createCommandEncoder();
      const encoding = encoder.beginComputePass(
        clock
          ? { timestampWrites: { querySet: clock.queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } }
          : {},
      );
      for (let i = 0; i < repeats; i++) for (const dispatch of dispatches) encodeDispatch(encoding, dispatch);
      encoding.end();
      if (clock) {
        encoder.resolveQuerySet(clock.queries, 0, 2, clock.resolved.buffer, 0);
        encoder.copyBufferToBuffer(clock.resolved.buffer, 0, clock.staging.buffer, 0, 16);
      }
      device.queue.submit([encoder.finish()]);
    });
    if (!clock) {
      await runtime.wait(device.queue.onSubmittedWorkDone());
      return performance.now() - started;
    }
    await runtime.wait(clock.staging.buffer.mapAsync(GPU_MAP_MODE_READ));
    const [begin = 0n, end = 0n] = new BigUint64Array(clock.staging.buffer.getMappedRange().slice(0, 16));
    clock.staging.buffer.unmap();
    return Number(end - begin) / 1e6;
  }

  dispose(): void {
    this.clock?.queries.destroy();
    this.clock?.resolved.destroy();
    this.clock?.staging.destroy();
  }
}
