/** Times single compute passes on the GPU's clock, or by the wall where the device has none. */
import {
  GPU_COPY_DST,
  GPU_COPY_SRC,
  GPU_MAP_MODE_READ,
  GPU_MAP_READ,
  GPU_QUERY_RESOLVE,
} from "../../src/gpu/memory.js";
import type { Runtime } from "../../src/graph/runtime.js";

export type Encode = (pass: GPUComputePassEncoder) => void;

export class PassClock {
  private readonly queries: GPUQuerySet | null;
  private readonly resolved;
  private readonly staging;

  constructor(private readonly runtime: Runtime) {
    const { device, memory } = runtime;
    this.queries = device.features.has("timestamp-query")
      ? device.createQuerySet({ type: "timestamp", count: 2 })
      : null;
    this.resolved = memory.create("timestamps", 16, GPU_QUERY_RESOLVE | GPU_COPY_SRC);
    this.staging = memory.create("timestamps' read-back", 16, GPU_MAP_READ | GPU_COPY_DST);
  }

  /** @returns milliseconds of one pass */
  async time(encode: Encode): Promise<number> {
    const { device } = this.runtime;
    const { queries } = this;
    if (!queries) return this.wall((encoder) => inPass(encoder, {}, encode));
    const encoder = device.createCommandEncoder();
    const timestampWrites = { querySet: queries, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
    inPass(encoder, { timestampWrites }, encode);
    encoder.resolveQuerySet(queries, 0, 2, this.resolved.buffer, 0);
    encoder.copyBufferToBuffer(this.resolved.buffer, 0, this.staging.buffer, 0, 16);
    device.queue.submit([encoder.finish()]);
    await this.runtime.wait(this.staging.buffer.mapAsync(GPU_MAP_MODE_READ));
    const [begin = 0n, end = 0n] = new BigUint64Array(this.staging.buffer.getMappedRange().slice(0));
    this.staging.buffer.unmap();
    return Number(end - begin) / 1e6;
  }

  /** @returns milliseconds of work that is no compute pass: of five times it less once, so that submitting cancels out */
  async wall(encode: (encoder: GPUCommandEncoder) => void): Promise<number> {
    const { device } = this.runtime;
    const times = async (count: number): Promise<number> => {
      await this.runtime.wait(device.queue.onSubmittedWorkDone());
      const started = performance.now();
      const encoder = device.createCommandEncoder();
      for (let i = 0; i < count; i++) encode(encoder);
      device.queue.submit([encoder.finish()]);
      await this.runtime.wait(device.queue.onSubmittedWorkDone());
      return performance.now() - started;
    };
    const once = await times(1);
    return Math.max(0, (await times(5)) - once) / 4;
  }

  dispose(): void {
    this.queries?.destroy();
    this.resolved.destroy();
    this.staging.destroy();
  }
}

function inPass(encoder: GPUCommandEncoder, descriptor: GPUComputePassDescriptor, encode: Encode): void {
  const pass = encoder.beginComputePass(descriptor);
  encode(pass);
  pass.end();
}

/** The shortest of several: a yardstick is what the machine can do when nothing else disturbs it. */
export async function shortest(repeats: number, time: () => Promise<number>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < repeats; i++) {
    const ms = await time();
    if (ms > 0) best = Math.min(best, ms);
  }
  return best;
}
