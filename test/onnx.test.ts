/** `s2am export`: the ONNX file's structure, and its numbers against PyTorch's by an interpreter of ONNX in float64. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../src/errors.js";
import { OnnxGraph, type OnnxModel } from "../src/io/onnx/model.js";
import { serializeOnnx } from "../src/io/onnx/writer.js";
import { parseSafetensors } from "../src/io/safetensors.js";
import { type HostTensor, toFloat32 } from "../src/io/tensor_data.js";
import { type Arch, DEFAULT_CONFIG, type ModelConfig, metadataOf } from "../src/model/config.js";
import { Network } from "../src/model/network.js";
import { onnxModel } from "../src/model/onnx.js";
import { loadModel } from "../src/model/weights.js";
import { packageFile, packageVersion } from "../src/package.node.js";
import { tinyTensors, tinyWeights, workspace } from "./helpers/command_line.js";
import { testDevice } from "./helpers/device.js";
import { hashedPicture, hashedTensors } from "./helpers/hashed.js";
import { readOnnx, runOnnx, type Value } from "./helpers/onnx_interpreter.js";

/** Of the largest value: what a user who compares is promised. */
const RELATIVE = 1e-4;
const NETS: readonly (readonly [Arch, number])[] = [
  ["unet", 8],
  ["s2asc", 16],
  ["s2ad", 8],
];
const configOf = (arch: Arch, width: number): ModelConfig => ({ ...DEFAULT_CONFIG, arch, width, levels: 5 });
const exported = (config: ModelConfig, options = {}): Uint8Array =>
  serializeOnnx(onnxModel(hashedTensors(config), config, { version: "1.2.3", ...options }));

/** [N, H, W, C] to [N, C, H, W]. */
function planes(values: ArrayLike<number>, [n, h, w, c]: readonly [number, number, number, number]): Value {
  const data = new Float64Array(n * h * w * c);
  data.forEach((_, i) => {
    const [b, channel, pixel] = [Math.floor(i / (c * h * w)), Math.floor(i / (h * w)) % c, i % (h * w)];
    data[i] = values[(b * h * w + pixel) * c + channel] ?? Number.NaN;
  });
  return { shape: [n, c, h, w], data };
}

function relativeError(got: ArrayLike<number>, expected: ArrayLike<number>): number {
  let [worst, largest] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs((got[i] ?? Number.NaN) - (expected[i] ?? Number.NaN));
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
    largest = Math.max(largest, Math.abs(expected[i] ?? 0));
  }
  expect(got.length).toBe(expected.length);
  return worst / largest;
}

describe.each(NETS)("%s, width %i", (arch, width) => {
  const config = configOf(arch, width);

  test("computes what PyTorch computes", () => {
    const fixture = readFileSync(new URL(`fixtures/models/${arch}${width}_levels5.safetensors`, import.meta.url));
    const y = parseSafetensors(fixture).tensors.get("y") as HostTensor;
    const x = planes(hashedPicture(2, 32, 64), [2, 32, 64, 4]);
    const found = runOnnx(readOnnx(exported(config)), { x }).get("y");
    expect(found?.shape).toEqual(y.shape);
    expect(relativeError(found?.data ?? [], toFloat32(y))).toBeLessThanOrEqual(1e-5);
  });

  test("the global skip adds the picture", () => {
    const x = planes(hashedPicture(1, 32, 32), [1, 32, 32, 4]);
    const run = (globalSkip: boolean): Float64Array =>
      runOnnx(readOnnx(exported({ ...config, globalSkip })), { x }).get("y")?.data ?? new Float64Array(0);
    const skipped = run(true);
    const sum = run(false).map((value, i) => value + (x.data[i] ?? Number.NaN));
    expect(relativeError(skipped, sum)).toBeLessThanOrEqual(1e-15);
  });
});

test("a soft mask is rounded half to even at every level, as the published code has it", () => {
  const x = planes(hashedPicture(1, 32, 32), [1, 32, 32, 4]);
  for (let i = 0; i < 32 * 32; i++) x.data[3 * 32 * 32 + i] = ((i * 7 + Math.floor(i / 32)) % 5) / 4;
  const values = runOnnx(readOnnx(exported(configOf("s2ad", 8))), { x });
  const mask = (row: number, column: number): number => x.data[3 * 1024 + row * 32 + column] ?? Number.NaN;
  let ties = 0;
  for (const k of [1, 2, 3]) {
    const stride = 2 ** k;
    const found = values.get(`model.model${".sub.model".repeat(k)}.attention.mask`);
    const expected = Float64Array.from({ length: (32 / stride) ** 2 }, (_, i) => {
      const [row, column] = [stride * Math.floor(i / (32 / stride)), stride * (i % (32 / stride))];
      const mean = (mask(row, column) + mask(row, column + 1) + mask(row + 1, column) + mask(row + 1, column + 1)) / 4;
      ties += mean === 0.5 ? 1 : 0;
      return mean > 0.5 ? 1 : 0;
    });
    expect(found?.data.map((value) => value + 0)).toEqual(expected);
  }
  expect(ties).toBeGreaterThan(0);
});

describe("structure", () => {
  const config: ModelConfig = { ...configOf("s2ad", 8), blur: "paper" };

  test("says who wrote it, what it is and how to feed it", () => {
    const model = readOnnx(exported(config));
    expect(model).toMatchObject({ producerName: "s2am-webgpu", producerVersion: "1.2.3" });
    expect(Number(model.irVersion)).toBe(8);
    expect(model.opsetImport.map(({ domain, version }) => [domain, Number(version)])).toEqual([["", 17]]);
    const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
    expect(metadata).toEqual({ ...metadataOf(config), size_multiple: "32" });
    expect(model.docString).toMatch(/RGB \/ 255 and the mask .* multiples of 32 .* Clamp y/);
  });

  test.each([
    [{}, ["batch", 4, "height", "width"], ["batch", 3, "height", "width"]],
    [{ size: 64, batch: 2 }, [2, 4, 64, 64], [2, 3, 64, 64]],
    [{ size: 64 }, ["batch", 4, 64, 64], ["batch", 3, 64, 64]],
  ])("%j gives x %j", (options, x, y) => {
    const { graph } = readOnnx(exported(config, options));
    const shapes = [...(graph?.input ?? []), ...(graph?.output ?? [])].map(({ name, type }) => [
      name,
      type?.tensorType?.elemType,
      (type?.tensorType?.shape?.dim ?? []).map(({ dimParam, dimValue }) => dimParam || Number(dimValue)),
    ]);
    expect(shapes).toEqual([
      ["x", 1, x],
      ["y", 1, y],
    ]);
  });

  test("every operand was made before, every constant is used, no name twice", () => {
    for (const [arch, width] of NETS) {
      const { graph } = readOnnx(exported(configOf(arch, width)));
      const constants = (graph?.initializer ?? []).map(({ name }) => name ?? "");
      const known = new Set(["x", ...constants]);
      const used = new Set<string>();
      expect(known.size).toBe(constants.length + 1);
      for (const { input, output } of graph?.node ?? []) {
        for (const name of input ?? []) {
          expect(known).toContain(name);
          used.add(name);
        }
        for (const name of output ?? []) {
          expect(known).not.toContain(name);
          known.add(name);
        }
      }
      expect(constants.filter((name) => !used.has(name))).toEqual([]);
      expect(known).toContain("y");
      const names = (graph?.node ?? []).map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test("the paper's blur has seven taps a side, which sum to 1", () => {
    const { graph } = readOnnx(exported(config));
    const blurs = (graph?.initializer ?? []).filter(({ name }) => name?.endsWith("gaussianMask.weight"));
    expect(blurs).toHaveLength(3);
    for (const { dims, rawData } of blurs) {
      expect((dims ?? []).map(Number)).toEqual([1, 1, 7, 7]);
      const taps = new Float32Array(Uint8Array.from(rawData ?? []).buffer);
      expect(taps.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 6);
    }
  });

  test("a file over protobuf's 2 GiB is refused before its values are asked for", () => {
    const graph = new OnnxGraph();
    graph.tensor("w", [2 ** 29], () => {
      throw new Error("asked for");
    });
    const empty = { producer: "", producerVersion: "", name: "", doc: "", metadata: {}, inputs: [], outputs: [] };
    const model: OnnxModel = { ...empty, initializers: graph.initializers, nodes: graph.nodes };
    expect(() => serializeOnnx(model)).toThrow(UsageError);
    expect(() => serializeOnnx(model)).toThrow(/2\.0 GiB.*at most 2 GiB/);
  });

  test("two values of one name are a fault", () => {
    const graph = new OnnxGraph();
    graph.node("Relu", "a", ["x"]);
    expect(() => graph.ints("a", [1])).toThrow(/two values are called a/);
  });
});

describe("the command", () => {
  const work = workspace();
  beforeAll(() => work.write("w.safetensors", tinyWeights()));
  const args = (...more: string[]): string[] => ["export", "--weights", "w.safetensors", "--onnx", "o.onnx", ...more];

  test("writes the file that the library makes, and says what it is", async () => {
    const report = await work.done(args("--size", "64", "--batch", "2"));
    const config: ModelConfig = { arch: "unet", width: 4, levels: 5, globalSkip: true, blur: "code" };
    const options = { size: 64, batch: 2, version: packageVersion() };
    const expected = serializeOnnx(onnxModel(tinyTensors(), config, options));
    expect(Buffer.compare(work.read("o.onnx"), expected)).toBe(0);
    expect(report).toEqual({
      output: "o.onnx",
      ...config,
      input: [2, 4, 64, 64],
      opset: 17,
      nodes: expect.any(Number),
      parameters: loadModel(tinyTensors()).parameterCount,
      bytes: expected.length,
    });
  });

  test("for people, one line", async () => {
    const { code, stdout } = await work.s2am(args("--no-global-skip"));
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(
        /^o\.onnx: unet, width 4, 5 levels, x \[batch, 4, height, width\], \d+ nodes of opset 17, \d+ bytes\n$/,
      ),
    });
  });

  test.each([
    [["--size", "48"], /size must be a multiple of 32 for 5 levels \(2\^levels\), got 48/],
    [["--size", "0"], /expected a whole number from 1/],
    [["--batch", "1.5"], /expected a whole number from 1/],
    [["--onnx", "no/o.onnx"], /no: no such folder/],
    [["--onnx", "w.safetensors"], /the output must not be the input/],
    [["--weights", "none.pth"], /none\.pth/],
  ])("refuses %j", (more, message) => work.refused(args(...more), message));

  test("needs the file's name", () =>
    work.refused(["export", "--weights", "w.safetensors"], /required option '--onnx <file>'/));
});

/** Installed by `npm run bench:peers`, or by `npm ci --prefix bench/peers`. */
const peers = packageFile("bench", "peers", "package.json");
const hasRuntime = existsSync(packageFile("bench", "peers", "node_modules", "onnxruntime-node"));

interface Session {
  run(feeds: object): Promise<Record<string, { readonly dims: number[]; readonly data: Float32Array }>>;
}
interface OnnxRuntime {
  readonly InferenceSession: { create(bytes: Uint8Array, options: object): Promise<Session> };
  readonly Tensor: new (type: string, data: Float32Array, shape: readonly number[]) => unknown;
}

describe.runIf(hasRuntime)("ONNX Runtime agrees with this engine", () => {
  async function agree(config: ModelConfig, tensors: Map<string, HostTensor>, size: [number, number]): Promise<void> {
    const ort = createRequire(peers)("onnxruntime-node") as OnnxRuntime;
    const { device, description } = await testDevice();
    const [h, w] = size;
    const values = hashedPicture(2, h, w);
    for (let i = 3; i < values.length / 2; i += 4) values[i] = ((i * 7) % 5) / 4; // one soft mask, one hard
    const x = planes(values, [2, h, w, 4]);
    const network = new Network(loadModel(tensors, {}, config), device, { software: description.isSoftware });
    const { outputs } = await network.run(values, [2, h, w]);
    await network.dispose();
    const bytes = serializeOnnx(onnxModel(tensors, config, { version: "test" }));
    const session = await ort.InferenceSession.create(bytes, { executionProviders: ["cpu"], logSeverityLevel: 3 });
    const { y } = await session.run({ x: new ort.Tensor("float32", Float32Array.from(x.data), x.shape) });
    expect(y?.dims).toEqual([2, 3, h, w]);
    const expected = planes(outputs.y ?? [], [2, h, w, 3]).data;
    expect(relativeError(y?.data ?? [], expected)).toBeLessThanOrEqual(RELATIVE);
  }

  const options = [false, true].flatMap((globalSkip) =>
    (["code", "paper"] as const).map((blur) => ({ globalSkip, blur })),
  );
  const cases = NETS.flatMap(([arch, width]) =>
    options.map((option) => [{ ...configOf(arch, width), ...option }] as const),
  );
  test.each(cases)("%j", (config) => agree(config, hashedTensors(config), [32, 64]));

  test("the weights in the box", async () => {
    const file = parseSafetensors(readFileSync(packageFile("weights", "s2ad16.safetensors")));
    const { config } = loadModel(file.tensors, file.metadata);
    await agree(config, file.tensors, [256, 256]);
  });
});
