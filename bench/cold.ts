/**
 * Clears the caches between repeats, by overwriting more than they hold. A kernel timed alone would find its operands where
 * the repeat before left them, as it does not inside a network: there, other layers' weights and activations have passed.
 */
import type { GpuAllocation } from "../src/gpu/memory.js";
import { BUFFER_USAGE, type Runtime } from "../src/graph/runtime.js";

/** More than the last cache of a data-centre GPU (50 MB), or of most CPUs. */
const BYTES = { hardware: 1 << 28, software: 1 << 26 };

export class CacheFlush {
  private buffer: GpuAllocation | undefined;

  constructor(private readonly runtime: Runtime) {}

  /** Resolves when it is done, so that a wall clock started then does not see it. */
  async run(): Promise<void> {
    const { device, memory, capabilities } = this.runtime;
    const bytes = Math.min(capabilities.software ? BYTES.software : BYTES.hardware, device.limits.maxBufferSize);
    this.buffer ??= memory.create("cache flush", bytes, BUFFER_USAGE);
    const encoder = device.createCommandEncoder();
    encoder.clearBuffer(this.buffer.buffer);
    device.queue.submit([encoder.finish()]);
    await this.runtime.wait(device.queue.onSubmittedWorkDone());
  }

  dispose(): void {
    this.buffer?.destroy();
    this.buffer = undefined;
  }
}
