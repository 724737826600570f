/** The adapter's peak of multiply-adds: registers only, several shapes of one shader, the best of them. */

import { float16ToFloat32, float32ToFloat16 } from "../../src/float16.js";
import { GPU_COPY_DST, GPU_MAP_MODE_READ, GPU_MAP_READ } from "../../src/gpu/memory.js";
import type { PipelineSpec } from "../../src/gpu/pipelines.js";
import { grid1d } from "../../src/graph/op.js";
import { BUFFER_USAGE, type Runtime } from "../../src/graph/runtime.js";
import { peak_fma } from "../../src/shaders.generated.js";
import { type PassClock, shortest } from "./clock.js";

export type Element = "f32" | "f16";

export interface FmaShape {
  readonly element: Element;
  readonly lanes: 1 | 4;
  readonly workgroup: number;
  /** fma() rather than a product and a sum. */
  readonly fused: boolean;
}

export interface Arithmetic {
  readonly gflops: number;
  readonly shape: FmaShape;
  /** The fewest threads that reach 70 % of it: what a kernel should start at the least. */
  readonly saturatingThreads: number | null;
  /** A pass of one workgroup, which has next to nothing to do. */
  readonly passMs: number;
}

/** Of the shader: its variables, the steps it takes in a row, and how often. */
const CHAINS = 8;
const REPEATS = 8;
const LOOPS = 64;
const STEPS = LOOPS * REPEATS;
/** Every sum these make is exact in float32: the check below asks for equality. */
const FACTORS = { m: 1, c: 2 ** -10, first: 0.25, betweenChains: 2 ** -6, betweenThreads: 2 ** -10 };
const MOST_THREADS = 1 << 23;
const TRIES = 4;
/** A shape that is this much slower than the best so far is not repeated. */
const HOPELESS = 0.7;

/** @param element f16 needs the feature `shader-f16`; @param like only shapes of this workgroup */
export const fmaShapes = (element: Element, like?: FmaShape): FmaShape[] =>
  [false, true]
    .flatMap((fused) => ([1, 4] as const).map((lanes) => ({ fused, lanes })))
    .flatMap((shape) => [64, 256].map((workgroup) => ({ ...shape, workgroup, element })))
    .filter(({ workgroup }) => !like || workgroup === like.workgroup);

/** @throws Error where the loop computes something else than it should: then its time says nothing */
export async function measureArithmetic(
  runtime: Runtime,
  clock: PassClock,
  shapes: readonly FmaShape[],
): Promise<Arithmetic> {
  let best: { shape: FmaShape; threads: number; gflops: number } | null = null;
  for (const shape of shapes) {
    const bench = await FmaBench.create(runtime, clock, shape);
    try {
      await bench.check();
      const threads = await bench.enoughThreads(runtime.capabilities.software ? 10 : 4);
      // The rest of the repeats goes to those that may win.
      const once = await bench.gflops(threads, 1);
      const gflops: number = once < HOPELESS * (best?.gflops ?? 0) ? once : await bench.gflops(threads, TRIES);
      if (!best || gflops > best.gflops) best = { shape, threads, gflops };
    } finally {
      bench.dispose();
    }
  }
  if (!best) throw new Error("peak: no shape was measured");
  const { shape, threads, gflops } = best;
  const passMs = await idlePass(runtime, clock, shape);
  // A CPU is full with a workgroup a core, and what one more costs there is lost in the noise.
  const saturatingThreads = runtime.capabilities.software ? null : await saturation(runtime, clock, shape, threads);
  return { gflops, shape, saturatingThreads, passMs };
}

/** A device counts as full from this share of its peak on. */
const FULL = 0.7;
/** So many times the loop's length: a few threads should take much longer than starting a pass does. */
const LONGER = 16;

async function saturation(runtime: Runtime, clock: PassClock, shape: FmaShape, enough: number): Promise<number> {
  const bench = await FmaBench.create(runtime, clock, shape, LONGER * LOOPS);
  try {
    const full = await bench.gflops(enough, 2);
    for (let threads = shape.workgroup; threads < enough; threads *= 2)
      if ((await bench.gflops(threads, 3)) >= FULL * full) return threads;
    return enough;
  } finally {
    bench.dispose();
  }
}

/** What a pass costs beside its work: one workgroup, one turn of the loop. */
async function idlePass(runtime: Runtime, clock: PassClock, shape: FmaShape): Promise<number> {
  const bench = await FmaBench.create(runtime, clock, shape, 1);
  try {
    await bench.time(shape.workgroup);
    return await shortest(20, () => bench.time(shape.workgroup));
  } finally {
    bench.dispose();
  }
}

/** One shape of the shader with its buffers. */
class FmaBench {
  private constructor(
    private readonly runtime: Runtime,
    private readonly clock: PassClock,
    private readonly shape: FmaShape,
    private readonly loops: number,
    private readonly pipeline: GPUComputePipeline,
    private readonly group: GPUBindGroup,
    private readonly sums: GPUBuffer,
    readonly dispose: () => void,
  ) {}

  static async create(runtime: Runtime, clock: PassClock, shape: FmaShape, loops = LOOPS): Promise<FmaBench> {
    const { device, memory } = runtime;
    const spec = pipelineOf(shape, loops);
    const pipeline = await runtime.wait(runtime.pipelines.get(spec));
    const bytes = elementBytes(shape);
    const { m, c, first, betweenChains, betweenThreads } = FACTORS;
    // With a zero behind them, so that an f16 each is a whole number of words.
    const values = [m, c, first, betweenChains, betweenThreads, 0].flatMap((value) =>
      new Array<number>(shape.lanes).fill(value),
    );
    const factors = memory.create("peak factors", values.length * bytes, BUFFER_USAGE);
    const sums = memory.create("peak sums", Math.min(MOST_THREADS * shape.lanes * bytes, 1 << 27), BUFFER_USAGE);
    const data = shape.element === "f32" ? new Float32Array(values) : float32ToFloat16(new Float32Array(values));
    device.queue.writeBuffer(factors.buffer, 0, data as Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer>);
    const group = device.createBindGroup({
      layout: runtime.pipelines.bindGroupLayout(spec.shader),
      entries: [factors, sums].map(({ buffer }, binding) => ({ binding, resource: { buffer } })),
    });
    return new FmaBench(runtime, clock, shape, loops, pipeline, group, sums.buffer, () => {
      factors.destroy();
      sums.destroy();
    });
  }

  /** The best of several runs of this many threads. */
  async gflops(threads: number, repeats: number): Promise<number> {
    const flops = threads * this.loops * REPEATS * CHAINS * this.shape.lanes * 2;
    return flops / (await shortest(repeats, () => this.time(threads))) / 1e6;
  }

  /** Threads that keep the device busy for about `ms`. */
  async enoughThreads(ms: number): Promise<number> {
    const { workgroup, lanes } = this.shape;
    const most = Math.min(MOST_THREADS, this.sums.size / (lanes * elementBytes(this.shape)));
    let threads = 16 * workgroup;
    for (let round = 0; round < 6; round++) {
      const taken = await this.time(threads);
      if (taken >= ms || threads >= most) break;
      // In steps: while the device is not yet full, more threads cost no more time.
      const wanted = threads * Math.min(16, (1.2 * ms) / Math.max(taken, 1e-3));
      threads = Math.min(most, Math.ceil(wanted / workgroup) * workgroup);
    }
    return threads;
  }

  /** Holds the first and the last of a few thousand sums against what the recurrence gives. */
  async check(): Promise<void> {
    const { workgroup, lanes, element } = this.shape;
    const threads = 4 * workgroup;
    await this.time(threads);
    const bytes = threads * lanes * elementBytes(this.shape);
    const read = await this.read(bytes);
    const found = element === "f32" ? new Float32Array(read) : float16ToFloat32(new Uint16Array(read));
    const { c, first, betweenChains, betweenThreads } = FACTORS;
    for (let i = 0; i < threads * lanes; i++) {
      const start = first + betweenThreads * (Math.floor(i / lanes) % 256);
      let expected = 0;
      for (let k = 0; k < CHAINS; k++) expected += start + k * betweenChains + STEPS * c;
      const sum = found[i];
      // Exact in float32. In float16 the sum of the chains is rounded, to 2^-8 of it at most.
      const allowed = element === "f32" ? 0 : expected * CHAINS * 2 ** -11;
      if (!(Math.abs((sum ?? Number.NaN) - expected) <= allowed))
        throw new Error(
          `peak_fma of ${showShape(this.shape)}: sum ${i} is ${sum}, expected ${expected}, so it is not timed`,
        );
    }
  }

  time(threads: number): Promise<number> {
    return this.clock.time((pass) => {
      pass.setPipeline(this.pipeline);
      pass.setBindGroup(0, this.group);
      pass.dispatchWorkgroups(...grid1d(threads / this.shape.workgroup));
    });
  }

  private async read(bytes: number): Promise<ArrayBuffer> {
    const { device, memory } = this.runtime;
    const staging = memory.create("peak read-back", bytes, GPU_MAP_READ | GPU_COPY_DST);
    try {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(this.sums, 0, staging.buffer, 0, bytes);
      device.queue.submit([encoder.finish()]);
      await this.runtime.wait(staging.buffer.mapAsync(GPU_MAP_MODE_READ));
      return staging.buffer.getMappedRange().slice(0);
    } finally {
      staging.destroy();
    }
  }
}

export const showShape = ({ element, lanes, workgroup, fused }: FmaShape): string =>
  `${lanes === 1 ? element : `vec${lanes}<${element}>`}, ${fused ? "fma()" : "a * m + c"}, workgroups of ${workgroup}`;

const elementBytes = ({ element }: FmaShape): number => (element === "f16" ? 2 : 4);

function pipelineOf({ element, lanes, workgroup, fused }: FmaShape, loops: number): PipelineSpec {
  const shader = element === "f32" ? peak_fma : { ...peak_fma, source: `enable f16;\n${peak_fma.source}` };
  const types = { S: element, T: lanes === 1 ? element : `vec${lanes}<${element}>` };
  return {
    shader,
    overrides: { WG: workgroup, LOOPS: loops },
    consts: { REPEATS, FUSED: fused ? 1 : 0 },
    types,
  };
}
