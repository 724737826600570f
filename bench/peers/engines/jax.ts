/** jax-js with its WebGPU backend, on dawn's Node bindings: single convolutions. */
import { waitIdly } from "../../../src/gpu/idle.js";
import { unpackConv } from "../../../src/model/repack.js";
import { provideNavigator } from "../browser_gpu.js";
import { type Prepared, serve, versionOf } from "../engine.js";
import { convInput, convWeight, fromPlanes, type Job, outputSize, toPlanes } from "../jobs.js";

/** The part of jax-js that is used here. Calls consume the arrays they are given; `ref` keeps one for another call. */
interface JaxArray {
  readonly ref: JaxArray;
  data(): Promise<Float32Array>;
}
type Pair = readonly [number, number];
interface Jax {
  init(device: "webgpu"): Promise<string[]>;
  defaultDevice(device: "webgpu"): string;
  jit(work: (x: JaxArray, w: JaxArray) => JaxArray): (x: JaxArray, w: JaxArray) => JaxArray;
  readonly numpy: { array(values: Float32Array, options: { shape: readonly number[] }): JaxArray };
  readonly lax: {
    convGeneralDilated(x: JaxArray, w: JaxArray, strides: Pair, padding: readonly Pair[]): JaxArray;
  };
}
const PACKAGE = "@jax-js/jax";

serve({
  version: versionOf(PACKAGE),
  async prepare(job: Job): Promise<Prepared> {
    if (job.kind !== "conv") throw new Error("measured on single convolutions alone");
    const adapter = await provideNavigator();
    const jax = (await import(PACKAGE)) as Jax;
    const started = await jax.init("webgpu");
    if (!started.includes("webgpu")) throw new Error("jax-js did not start its webgpu backend");
    jax.defaultDevice("webgpu");
    const { size, cIn, cOut, kernel, stride, padding } = job;
    const pads = [padding, padding] as const;
    const conv = jax.jit((x, w) => jax.lax.convGeneralDilated(x, w, [stride, stride], [pads, pads]));
    const filter = unpackConv(convWeight(job), cOut, cIn, kernel ** 2);
    const w = jax.numpy.array(filter, { shape: [cOut, cIn, kernel, kernel] });
    const values = toPlanes(convInput(job), 1, size * size, cIn);
    const run = (): Promise<Float32Array> => {
      const read = conv(jax.numpy.array(values, { shape: [1, cIn, size, size] }), w.ref).data();
      return adapter.isSoftware ? waitIdly(read) : read;
    };
    const y = fromPlanes(await run(), 1, outputSize(job) ** 2, cOut);
    return { outputs: { y }, adapter: adapter.name, run: async () => void (await run()) };
  },
});
