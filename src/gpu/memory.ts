/** Creates and counts GPU buffers, so that a leak is a number and a buffer too large is an error before it is asked for. */
import { OutOfMemoryError } from "../errors.js";

export class GpuMemory {
  /** Bytes in buffers that were created here and not yet destroyed. */
  liveBytes = 0;
  liveBuffers = 0;
  /** The most that `liveBytes` ever was. */
  peakBytes = 0;
  /** What may live at once: for a software adapter, which takes the machine's memory until there is none. */
  limitBytes = Number.POSITIVE_INFINITY;

  constructor(readonly device: GPUDevice) {}

  /**
   * @param bytes size; rounded up to a multiple of 4
   * @throws OutOfMemoryError when the size is over the device's limits, or all together over `limitBytes`
   */
  create(label: string, bytes: number, usage: GPUBufferUsageFlags): GpuAllocation {
    const size = Math.max(16, Math.ceil(bytes / 4) * 4);
    checkBufferSize(this.device.limits, label, size, (usage & GPU_STORAGE) !== 0);
    this.assertRoom(label, size);
    const buffer = this.device.createBuffer({ label, size, usage });
    this.liveBytes += size;
    this.liveBuffers += 1;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    let live = true;
    return {
      buffer,
      size,
      destroy: () => {
        if (!live) return;
        live = false;
        this.liveBytes -= size;
        this.liveBuffers -= 1;
        buffer.destroy();
      },
    };
  }

  /** Throws OutOfMemoryError where `bytes` more would be over `limitBytes`. */
  assertRoom(label: string, bytes: number): void {
    if (this.liveBytes + bytes <= this.limitBytes) return;
    const room = mebibytes(Math.max(0, this.limitBytes - this.liveBytes));
    throw new OutOfMemoryError(
      `${label} needs ${mebibytes(bytes)} of memory, ${room} are left: use a smaller image, batch or --working-size`,
    );
  }
}

export interface GpuAllocation {
  readonly buffer: GPUBuffer;
  readonly size: number;
  destroy(): void;
}

// GPUBufferUsage is a global that only exists once a WebGPU implementation is loaded; these are its specified values.
export const GPU_MAP_READ = 0x1;
export const GPU_COPY_SRC = 0x4;
export const GPU_COPY_DST = 0x8;
export const GPU_UNIFORM = 0x40;
export const GPU_STORAGE = 0x80;
export const GPU_INDIRECT = 0x100;
export const GPU_QUERY_RESOLVE = 0x200;
export const GPU_MAP_MODE_READ = 0x1;
export const GPU_STAGE_COMPUTE = 0x4;

export function checkBufferSize(limits: GPUSupportedLimits, label: string, size: number, storage: boolean): void {
  const limit = storage ? Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize) : limits.maxBufferSize;
  if (size > limit) {
    throw new OutOfMemoryError(
      `${label} needs a buffer of ${mebibytes(size)}, this device allows ${mebibytes(limit)}: use a smaller image, batch or --working-size`,
    );
  }
}

export const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
