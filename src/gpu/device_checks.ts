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

/**
 * What every thread learns of its subgroup, an array each: the sum of its members' x, who its first is, its own lane, how
 * many there are, and the x of the lane after it. No array is the same everywhere, so that no constant passes for it.
 */
const SUBGROUPS = /* wgsl */ `
enable subgroups;
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;  // [5, COUNT]

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(subgroup_size) size: u32, @builtin(subgroup_invocation_id) lane: u32) {
  y[id.x] = subgroupAdd(x[id.x]);
  y[${COUNT}u + id.x] = subgroupBroadcast(f32(id.x), 0u);
  y[${2 * COUNT}u + id.x] = f32(lane);
  y[${3 * COUNT}u + id.x] = f32(size);
  y[${4 * COUNT}u + id.x] = subgroupShuffle(x[id.x], (lane + 1u) % size);
}`;

/** Work whose length x[0] says, for the clock to show. */
const LONG = /* wgsl */ `
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  var value = x[id.x + 1u];
  for (var i = 0u; i < u32(x[0]); i++) { value = value * 0.999 + 0.5; }
  y[id.x] = value;
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
      const y = await runKernel(device, SUBGROUPS, integers, new Float32Array(5 * COUNT));
      return checkSubgroups(integers, y);
    }),
    await check("timestamp-query", device.features.has("timestamp-query"), () => checkTimestamps(device)),
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

/**
 * Which threads share a subgroup is the driver's to say; what it says has to be whole (lanes 0 .. size - 1, each once, one
 * workgroup) and agree with the sums and shuffles.
 * @param y as SUBGROUPS writes it
 */
function checkSubgroups(x: Float32Array, y: Float32Array): string {
  const at = (array: number, thread: number): number => y[array * COUNT + thread] ?? Number.NaN;
  const members = new Map<number, number[]>();
  for (let thread = 0; thread < COUNT; thread++) {
    const first = at(1, thread);
    const list = members.get(first) ?? [];
    list[at(2, thread)] = thread;
    members.set(first, list);
  }
  const sizes = new Set<number>();
  let counted = 0;
  for (const [first, lanes] of members) {
    const size = at(3, lanes[0] ?? -1);
    const threads = Array.from({ length: lanes.length }, (_, lane) => lanes[lane] ?? -1);
    const name = `the subgroup of thread ${first}`;
    if (lanes[0] !== first) throw new Error(`${name} has thread ${lanes[0]} for its lane 0`);
    if (threads.length !== size || threads.includes(-1))
      throw new Error(
        `${name} has lanes ${threads.filter((thread) => thread >= 0).length}, its size is said to be ${size}`,
      );
    if (threads.some((thread) => at(3, thread) !== size)) throw new Error(`${name} is of several sizes`);
    if (threads.some((thread) => Math.floor(thread / WORKGROUP) !== Math.floor(first / WORKGROUP)))
      throw new Error(`${name} reaches over workgroups`);
    const sum = threads.reduce((total, thread) => total + (x[thread] ?? 0), 0);
    threads.forEach((thread, lane) => {
      if (at(0, thread) !== sum) throw new Error(`thread ${thread} has the sum ${at(0, thread)}, the CPU has ${sum}`);
      const next = x[threads[(lane + 1) % size] ?? -1];
      if (at(4, thread) !== next)
        throw new Error(`thread ${thread} was handed ${at(4, thread)}, its neighbour has ${next}`);
    });
    counted += size;
    sizes.add(size);
  }
  if (counted !== COUNT) throw new Error(`${counted} of ${COUNT} threads are in a subgroup`);
  return `sums and shuffles are right in ${members.size} subgroups of ${[...sizes].sort((a, b) => a - b).join(", ")}`;
}

/** Turns of the loop of LONG, until the clock moves: browsers round it to 65.5 microseconds. */
const TURNS = [2 ** 12, 2 ** 14, 2 ** 16, 2 ** 18, 2 ** 20];

async function checkTimestamps(device: GPUDevice): Promise<string> {
  for (const turns of TURNS) {
    const started = performance.now();
    const { begin, end } = await timePass(device, turns);
    const wallMs = performance.now() - started;
    if (end < begin) throw new Error(`the pass ends at ${end}, before it begins at ${begin}`);
    const ms = Number(end - begin) / 1e6;
    // The clocks' own units may differ by a little.
    if (ms > 1.1 * wallMs + 1)
      throw new Error(`a pass took ${ms.toFixed(1)} ms, all around it ${wallMs.toFixed(1)} ms`);
    if (end > begin) return `a pass of ${turns} turns took ${(1000 * ms).toFixed(0)} microseconds`;
  }
  throw new Error(`the clock stands still over a pass of ${TURNS.at(-1)} turns`);
}

interface Launch {
  readonly workgroups?: number;
  readonly timestampWrites?: GPUComputePassTimestampWrites;
}

async function runKernel(
  device: GPUDevice,
  code: string,
  x: Float32Array,
  y: Float32Array,
  { workgroups = COUNT / WORKGROUP, timestampWrites }: Launch = {},
): Promise<Float32Array> {
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
      const pass = encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
      pass.dispatchWorkgroups(workgroups);
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

async function timePass(device: GPUDevice, turns: number): Promise<{ begin: bigint; end: bigint }> {
  const querySet = device.createQuerySet({ type: "timestamp", count: 2 });
  const resolved = device.createBuffer({ size: 16, usage: GPU_QUERY_RESOLVE | GPU_COPY_SRC });
  const staging = device.createBuffer({ size: 16, usage: GPU_MAP_READ | GPU_COPY_DST });
  try {
    const x = new Float32Array(WORKGROUP + 1).fill(1);
    x[0] = turns;
    const timestampWrites = { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 };
    await runKernel(device, LONG, x, new Float32Array(WORKGROUP), { workgroups: 1, timestampWrites });
    await scoped(device, "timestamp check", () => {
      const encoder = device.createCommandEncoder();
      encoder.resolveQuerySet(querySet, 0, 2, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, staging, 0, 16);
      device.queue.submit([encoder.finish()]);
    });
    await orLost(device, staging.mapAsync(GPU_MAP_MODE_READ));
    const [begin = 0n, end = 0n] = new BigUint64Array(staging.getMappedRange().slice(0));
    return { begin, end };
  } finally {
    querySet.destroy();
    resolved.destroy();
    staging.destroy();
  }
}
