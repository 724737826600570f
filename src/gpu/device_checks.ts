/**
 * Small programs that show whether a device computes what it says it can: each result is compared with the CPU's. The
 * shaders stand here, not with the kernels, because a diagnosis should not rest on what it diagnoses.
 */
import {
  GPU_COPY_DST,
  GPU_COPY_SRC,
  GPU_MAP_MODE_READ,
  GPU_MAP_READ,
  GPU_QUERY_RESOLVE,
  GPU_STORAGE,
} from "./memory.js";
import { orLost, scoped } from "./scopes.js";

export interface DeviceCheck {
  name: string;
  /** "absent": the device does not offer it, and nothing needs it. */
  outcome: "passed" | "failed" | "absent";
  detail: string;
}

const COUNT = 4096;
const WORKGROUP = 64;
const SCALE = 0.75;

/** y = SCALE x + y, then the sum of each workgroup by a tree in shared memory. */
const SAXPY_SUM = /* wgsl */ `
@group(0) @binding(0) var<storage, read> x: array<f32>;        // [COUNT]
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [COUNT], then [COUNT / WORKGROUP] sums
var<workgroup> partial: array<f32, ${WORKGROUP}>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) lane: u32, @builtin(workgroup_id) group: vec3u) {
  y[id.x] = ${SCALE} * x[id.x] + y[id.x];
  partial[lane] = y[id.x];
  for (var stride = ${WORKGROUP / 2}u; stride > 0u; stride /= 2u) {
    workgroupBarrier();
    if (lane < stride) { partial[lane] += partial[lane + stride]; }
  }
  if (lane == 0u) { y[${COUNT}u + group.x] = partial[0]; }
}`;

/** Halves are exact for these integers. */
const F16 = /* wgsl */ `
enable f16;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = f32(f16(x[id.x]) * 2.0h + 1.0h); }`;

/** Every thread learns how many threads its subgroup has, twice. */
const SUBGROUPS = /* wgsl */ `
enable subgroups;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(subgroup_size) size: u32) {
  y[id.x] = subgroupAdd(1.0) - f32(size) + subgroupBroadcast(x[id.x], 0u) * 0.0;
}`;

/** Never throws for what a device does: a fault is a failed check. */
export async function checkDevice(device: GPUDevice): Promise<DeviceCheck[]> {
  const integers = Float32Array.from({ length: COUNT }, (_, i) => i % 1000);
  return [
    await check("kernel against the CPU", true, () => checkSaxpySum(device)),
    await check("shader-f16", device.features.has("shader-f16"), async () => {
      const y = await runKernel(device, F16, integers, new Float32Array(COUNT));
      expectClose(
        y,
        integers.map((value) => value * 2 + 1),
        () => 0,
      );
      return "half-precision arithmetic is exact on small integers";
    }),
    await check("subgroups", device.features.has("subgroups"), async () => {
      const y = await runKernel(device, SUBGROUPS, integers, new Float32Array(COUNT));
      expectClose(y, new Float32Array(COUNT), () => 0);
      return "subgroup sums count every thread";
    }),
    await check("timestamp-query", device.features.has("timestamp-query"), async () => {
      const nanoseconds = await timeEmptyPass(device);
      return `an empty pass takes ${(nanoseconds / 1000).toFixed(1)} microseconds`;
    }),
  ];
}

async function check(name: string, present: boolean, run: () => Promise<string>): Promise<DeviceCheck> {
  if (!present) return { name, outcome: "absent", detail: "not offered by this adapter" };
  try {
    return { name, outcome: "passed", detail: await run() };
  } catch (error) {
    return { name, outcome: "failed", detail: error instanceof Error ? error.message : String(error) };
  }
}

async function checkSaxpySum(device: GPUDevice): Promise<string> {
  const x = Float32Array.from({ length: COUNT }, (_, i) => Math.sin(i + 1));
  const y = new Float32Array(COUNT + COUNT / WORKGROUP);
  for (let i = 0; i < COUNT; i++) y[i] = Math.cos(i * 0.5);
  const expected = new Float64Array(y.length);
  for (let i = 0; i < COUNT; i++) {
    const value = SCALE * (x[i] ?? 0) + (y[i] ?? 0);
    expected[i] = value;
    const group = COUNT + Math.floor(i / WORKGROUP);
    expected[group] = (expected[group] ?? 0) + value;
  }
  // Two roundings an element; six more on the way up the tree, of terms at most 2 each.
  const tolerance = (i: number): number => (i < COUNT ? 4 : 8 * 2 * WORKGROUP) * 2 ** -24;
  const error = expectClose(await runKernel(device, SAXPY_SUM, x, y), expected, tolerance);
  return `${COUNT} multiply-adds and ${COUNT / WORKGROUP} sums, largest error ${error.toExponential(1)}`;
}

/** @returns the largest difference; throws on the first that is over its tolerance, or not a number */
function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: (index: number) => number,
): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs((actual[i] ?? Number.NaN) - (expected[i] ?? 0));
    if (!(difference <= tolerance(i))) throw new Error(`element ${i} is ${actual[i]}, the CPU has ${expected[i]}`);
    largest = Math.max(largest, difference);
  }
  return largest;
}

async function runKernel(device: GPUDevice, code: string, x: Float32Array, y: Float32Array): Promise<Float32Array> {
  const buffers: GPUBuffer[] = [];
  const buffer = (size: number, usage: number): GPUBuffer => {
    const made = device.createBuffer({ label: "device check", size, usage });
    buffers.push(made);
    return made;
  };
  try {
    const staging = await scoped(device, "device check", () => {
      const xs = buffer(x.byteLength, GPU_STORAGE | GPU_COPY_DST);
      const ys = buffer(y.byteLength, GPU_STORAGE | GPU_COPY_DST | GPU_COPY_SRC);
      const out = buffer(y.byteLength, GPU_MAP_READ | GPU_COPY_DST);
      device.queue.writeBuffer(xs, 0, x as Float32Array<ArrayBuffer>);
      device.queue.writeBuffer(ys, 0, y as Float32Array<ArrayBuffer>);
      const module = device.createShaderModule({ label: "device check", code });
      const pipeline = device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
      const entries = [xs, ys].map((resource, binding) => ({ binding, resource: { buffer: resource } }));
      const encoder = device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
      pass.dispatchWorkgroups(COUNT / WORKGROUP);
      pass.end();
      encoder.copyBufferToBuffer(ys, 0, out, 0, y.byteLength);
      device.queue.submit([encoder.finish()]);
      return out;
    });
    await orLost(device, staging.mapAsync(GPU_MAP_MODE_READ));
    return new Float32Array(staging.getMappedRange().slice(0));
  } finally {
    for (const made of buffers) made.destroy();
  }
}

async function timeEmptyPass(device: GPUDevice): Promise<number> {
  const querySet = device.createQuerySet({ type: "timestamp", count: 2 });
  const resolved = device.createBuffer({ size: 16, usage: GPU_QUERY_RESOLVE | GPU_COPY_SRC });
  const staging = device.createBuffer({ size: 16, usage: GPU_MAP_READ | GPU_COPY_DST });
  try {
    await scoped(device, "timestamp check", () => {
      const encoder = device.createCommandEncoder();
      const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
      encoder.beginComputePass({ timestampWrites }).end();
      encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
      device.queue.submit([encoder.finish()]);
    });
    await orLost(device, staging.mapAsync(GPU_MAP_MODE_READ));
    const [begin = 0n, end = 0n] = new BigUint64Array(staging.getMappedRange().slice(0));
    if (end < begin) throw new Error(`the pass ends at ${end}, before it begins at ${begin}`);
    return Number(end - begin);
  } finally {
    querySet.destroy();
    resolved.destroy();
    staging.destroy();
  }
}
