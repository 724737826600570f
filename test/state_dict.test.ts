/** The way to PyTorch and back: what a strict load asks for is there, and nothing is lost on the way. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bytesSource } from "../src/io/byte_source.js";
import { serializePytorchCheckpoint } from "../src/io/pytorch/writer.js";
import { parseSafetensors } from "../src/io/safetensors.js";
import { fromFloat32, type HostTensor, toFloat32 } from "../src/io/tensor_data.js";
import { readWeights } from "../src/io/weights_file.js";
import { DEFAULT_CONFIG, type ModelConfig, metadataOf } from "../src/model/config.js";
import { completeStateDict } from "../src/model/state_dict.js";
import { loadModel } from "../src/model/weights.js";
import { tinyTensors, tinyWeights, workspace } from "./helpers/command_line.js";

interface Entry {
  readonly dtype: HostTensor["dtype"];
  readonly shape: readonly number[];
  readonly values?: readonly number[];
}

/** What PyTorch's own state dict holds (scripts/make_state_dict_fixture.py). */
const saved: {
  readonly config: Pick<ModelConfig, "arch" | "width" | "levels">;
  readonly tensors: Record<string, Entry>;
} = JSON.parse(readFileSync(join(import.meta.dirname, "fixtures", "models", "state_dict.json"), "utf8"));
const config: ModelConfig = { ...DEFAULT_CONFIG, ...saved.config, globalSkip: true };

function tensorOf({ dtype, shape, values }: Entry): HostTensor {
  const size = shape.reduce((product, length) => product * length, 1);
  if (dtype !== "F32") return { dtype, shape, data: new Uint8Array(8 * size) };
  return fromFloat32(Float32Array.from(values ?? new Array(size).fill(0.5)), shape, dtype);
}

const byPytorch = new Map(Object.entries(saved.tensors).map(([key, entry]) => [key, tensorOf(entry)]));
const isBuffer = (key: string): boolean => /num_batches_tracked$|gaussianMask\.weight$/.test(key);
const bare = new Map([...byPytorch].filter(([key]) => !isBuffer(key)));

describe("the state dict of PyTorch's network", () => {
  const complete = completeStateDict(bare, config, 1234);

  test("has every key, shape and type of a strict load", () => {
    const formOf = (tensors: ReadonlyMap<string, HostTensor>) =>
      Array.from(tensors, ([key, { dtype, shape }]) => `${key} ${dtype === "I64" ? dtype : "float"} [${shape}]`).sort();
    expect(bare.size).toBeLessThan(byPytorch.size);
    expect(formOf(complete)).toEqual(formOf(byPytorch));
  });

  test("its masks blur as PyTorch's, its counters count", () => {
    for (const [key, tensor] of complete) {
      if (key.endsWith("num_batches_tracked"))
        expect(new BigInt64Array(tensor.data.slice().buffer)).toEqual(BigInt64Array.of(1234n));
      if (!key.endsWith("gaussianMask.weight")) continue;
      const expected = toFloat32(byPytorch.get(key) as HostTensor);
      toFloat32(tensor).forEach((value, i) => {
        expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 7);
      });
    }
  });

  test("leaves what is there", () => {
    const again = completeStateDict(byPytorch, config, 5);
    expect(again.size).toBe(byPytorch.size);
    for (const [key, tensor] of byPytorch) expect(again.get(key)).toBe(tensor);
  });

  test("the paper's blur is 7 x 7, and loads", () => {
    const paper = { ...config, blur: "paper" as const };
    const tensors = completeStateDict(bare, paper, 0);
    expect(tensors.get("model.model.sub.model.attention.gaussianMask.weight")?.shape).toEqual([1, 1, 7, 7]);
    expect(loadModel(tensors).config.blur).toBe("paper");
  });
});

/** Byte by byte: vitest's own comparison of large arrays takes seconds. */
function expectSame(found: ReadonlyMap<string, HostTensor>, expected: ReadonlyMap<string, HostTensor>): void {
  for (const [key, { data, ...form }] of expected) {
    expect(found.get(key), key).toMatchObject(form);
    expect(Buffer.compare(found.get(key)?.data ?? new Uint8Array(0), data), key).toBe(0);
  }
}

test("a checkpoint brings back tensors and network options", async () => {
  const tensors = completeStateDict(tinyTensors("s2ad", 8), { ...config, width: 8, levels: 5 }, 7);
  const metadata = { ...metadataOf({ ...config, width: 8, levels: 5 }), step: "7" };
  const file = await readWeights(bytesSource(serializePytorchCheckpoint(tensors, { metadata })), "x.pth");
  expect(file.metadata).toEqual(metadata);
  expect([...file.tensors.keys()]).toEqual([...tensors.keys()]);
  expectSame(file.tensors, tensors);
  expect(loadModel(file.tensors, file.metadata).config).toEqual({ ...config, width: 8, levels: 5 });
});

describe("s2am convert", () => {
  const work = workspace();

  test("to .pth and back loses nothing", async () => {
    work.write("tiny.safetensors", tinyWeights());
    expect(await work.done(["convert", "tiny.safetensors", "tiny.pth"])).toMatchObject({
      arch: "unet",
      width: 4,
      levels: 5,
    });
    await work.done(["convert", "tiny.pth", "back.safetensors"]);
    const [before, after] = ["tiny.safetensors", "back.safetensors"].map((name) => parseSafetensors(work.read(name)));
    expect(after?.metadata).toEqual(before?.metadata);
    expectSame(after?.tensors ?? new Map(), before?.tensors ?? new Map());
  });
});
