/** The adapter's bandwidth: a copy larger than its caches, through a shader and by the device's own copy. */
import { OutOfMemoryError } from "../../src/errors.js";
import { GPU_COPY_DST, GPU_MAP_MODE_READ, GPU_MAP_READ, type GpuAllocation } from "../../src/gpu/memory.js";
import { ceilDiv, grid1d } from "../../src/graph/op.js";
import { BUFFER_USAGE, type Runtime } from "../../src/graph/runtime.js";
import { peak_copy } from "../../src/shaders.generated.js";
import { type PassClock, shortest } from "./clock.js";

export interface CopyShape {
  readonly lanes: 1 | 4;
  /** Elements a thread copies. */
  readonly each: number;
  readonly workgroup: number;
}

export interface Bandwidth {
  /** Bytes read and written through a shader. */
  readonly gbps: number;
  readonly shape: CopyShape;
  /** The same by copyBufferToBuffer, for reference. */
  readonly copyBufferGbps: number;
  /** Of the buffer that is copied. */
  readonly bytes: number;
}

/** Several times the last cache of any GPU; CPUs that pose as GPUs have smaller ones and less time. */
const WANTED = { hardware: 1 << 28, software: 1 << 26 };
const REPEATS = 4;
/** A shape that is this much slower than the best so far is not repeated. */
const HOPELESS = 0.7;
const CHUNK = 1 << 22;

/** @throws Error where the copy is not equal; OutOfMemoryError where not even 16 MiB can be had twice */
export async function measureBandwidth(runtime: Runtime, clock: PassClock): Promise<Bandwidth> {
  const { x, y, bytes } = allocate(runtime);
  try {
    fill(runtime, x.buffer, bytes);
    let best = { gbps: 0, shape: { lanes: 1, each: 1, workgroup: 64 } as CopyShape };
    for (const lanes of [4, 1] as const) {
      for (const each of [1, 4]) {
        for (const workgroup of [64, 256]) {
          const shape = { lanes, each, workgroup };
          const gbps = await timeCopy(runtime, clock, shape, x, y, bytes, best.gbps);
          if (gbps > best.gbps) best = { gbps, shape };
        }
      }
    }
    await check(runtime, y.buffer, bytes);
    const copy = await shortest(REPEATS, () =>
      clock.wall((encoder) => encoder.copyBufferToBuffer(x.buffer, 0, y.buffer, 0, bytes)),
    );
    return { ...best, copyBufferGbps: (2 * bytes) / copy / 1e6, bytes };
  } finally {
    x.destroy();
    y.destroy();
  }
}

/** @returns GB/s */
async function timeCopy(
  runtime: Runtime,
  clock: PassClock,
  { lanes, each, workgroup }: CopyShape,
  x: GpuAllocation,
  y: GpuAllocation,
  bytes: number,
  best: number,
): Promise<number> {
  const { device } = runtime;
  const types = { T: lanes === 1 ? "f32" : `vec${lanes}<f32>` };
  const spec = { shader: peak_copy, overrides: { WG: workgroup }, consts: { EACH: each }, types };
  const pipeline = await runtime.wait(runtime.pipelines.get(spec));
  const group = device.createBindGroup({
    layout: runtime.pipelines.bindGroupLayout(peak_copy),
    entries: [x, y].map(({ buffer }, binding) => ({ binding, resource: { buffer, size: bytes } })),
  });
  const workgroups = grid1d(ceilDiv(bytes / (4 * lanes), workgroup * each));
  const encode = (pass: GPUComputePassEncoder): void => {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...workgroups);
  };
  const gbps = (ms: number): number => (2 * bytes) / ms / 1e6;
  const once = gbps(await clock.time(encode));
  return once < HOPELESS * best ? once : gbps(await shortest(REPEATS, () => clock.time(encode)));
}

function allocate({ memory, capabilities: { limits, software } }: Runtime) {
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  let bytes = Math.min(software ? WANTED.software : WANTED.hardware, Math.floor(most / CHUNK) * CHUNK);
  for (;;) {
    const made: GpuAllocation[] = [];
    try {
      for (const label of ["copied", "copy"]) made.push(memory.create(label, bytes, BUFFER_USAGE));
      const [x, y] = made as [GpuAllocation, GpuAllocation];
      return { x, y, bytes };
    } catch (error) {
      for (const allocation of made) allocation.destroy();
      bytes /= 2;
      if (!(error instanceof OutOfMemoryError) || bytes < 4 * CHUNK) throw error;
    }
  }
}

const pattern = (index: number): number => Math.imul(index, 0x9e3779b1) >>> 9;

/** Every page is written: a system backs those never touched with one page of zeros, and copies of it come from a cache. */
function fill({ device }: Runtime, buffer: GPUBuffer, bytes: number): void {
  const chunk = Uint32Array.from({ length: CHUNK / 4 }, (_, i) => pattern(i));
  for (let at = 0; at < bytes; at += CHUNK) device.queue.writeBuffer(buffer, at, chunk);
}

async function check(runtime: Runtime, buffer: GPUBuffer, bytes: number): Promise<void> {
  const { device, memory } = runtime;
  const window = 4096;
  const staging = memory.create("copy's read-back", 3 * window, GPU_MAP_READ | GPU_COPY_DST);
  try {
    const encoder = device.createCommandEncoder();
    const places = [0, bytes / 2, bytes - window];
    places.forEach((at, i) => {
      encoder.copyBufferToBuffer(buffer, at, staging.buffer, i * window, window);
    });
    device.queue.submit([encoder.finish()]);
    await runtime.wait(staging.buffer.mapAsync(GPU_MAP_MODE_READ));
    const found = new Uint32Array(staging.buffer.getMappedRange().slice(0));
    found.forEach((value, i) => {
      const at = (places[Math.floor((4 * i) / window)] ?? 0) + ((4 * i) % window);
      if (value !== pattern((at % CHUNK) / 4))
        throw new Error(`peak_copy: byte ${at} of ${bytes} is not that of the original, so it is not timed`);
    });
  } finally {
    staging.destroy();
  }
}

export const showCopy = ({ lanes, each, workgroup }: CopyShape): string =>
  `${lanes === 1 ? "f32" : `vec${lanes}<f32>`}, ${each} a thread, workgroups of ${workgroup}`;
