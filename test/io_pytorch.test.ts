/** PyTorch checkpoints: files that PyTorch wrote, against the values PyTorch gives, and the way back. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { WeightsError } from "../src/errors.js";
import { bytesSource } from "../src/io/byte_source.js";
import { readPytorchCheckpoint } from "../src/io/pytorch/checkpoint.js";
import { serializePytorchCheckpoint } from "../src/io/pytorch/writer.js";
import { type HostTensor, toFloat32 } from "../src/io/tensor_data.js";
import * as py from "./helpers/pickles.js";
import { countingSource } from "./helpers/sources.js";

const FIXTURES = new URL("fixtures/checkpoints/", import.meta.url);
const fixture = (name: string) => new Uint8Array(readFileSync(new URL(name, FIXTURES)));
const read = (bytes: Uint8Array, name = "x.pth") => readPytorchCheckpoint(bytesSource(bytes), name);

interface Expected {
  dtype: string;
  shape: number[];
  values: string[];
}
const expected: Record<string, Record<string, Expected>> = JSON.parse(
  readFileSync(new URL("expected.json", FIXTURES), "utf8"),
);

const DTYPES: Record<string, string> = {
  "torch.float16": "F16",
  "torch.bfloat16": "BF16",
  "torch.float32": "F32",
  "torch.float64": "F64",
  "torch.int64": "I64",
  "torch.int32": "I32",
  "torch.int16": "I16",
  "torch.int8": "I8",
  "torch.uint8": "U8",
  "torch.bool": "BOOL",
};

/** The values as Python printed them; float64 and int64 are compared in full, not as float32. */
function exactValues(tensor: HostTensor): (number | bigint)[] {
  const { buffer } = tensor.data.slice();
  if (tensor.dtype === "F64") return [...new Float64Array(buffer)];
  if (tensor.dtype === "I64") return [...new BigInt64Array(buffer)];
  if (tensor.dtype === "I32") return [...new Int32Array(buffer)];
  return [...toFloat32(tensor)];
}

const pythonNumber = (text: string) => Number(text.replace("inf", "Infinity"));

describe("files that PyTorch wrote", () => {
  test.each(Object.keys(expected))("%s", async (name) => {
    const { tensors, info } = await read(fixture(name), name);
    expect(info.container).toBe(name.includes("legacy") ? "legacy" : "zip");
    expect([...tensors.keys()]).toEqual(Object.keys(expected[name] ?? {}));
    for (const [key, { dtype, shape, values }] of Object.entries(expected[name] ?? {})) {
      const tensor = tensors.get(key);
      expect(tensor, key).toMatchObject({ dtype: DTYPES[dtype], shape });
      const got = tensor ? exactValues(tensor) : [];
      expect(got, key).toEqual(values.map((v) => (dtype === "torch.int64" ? BigInt(v) : pythonNumber(v))));
    }
  });

  test.each(["train_zip.pth.tar", "train_legacy.pth.tar"])(
    "%s: what the authors keep beside the weights",
    async (name) => {
      const { info } = await read(fixture(name));
      expect(info).toMatchObject({ epoch: 12, arch: "rascv2", bestAcc: 27.5 });
    },
  );

  test("views on one storage share its memory", async () => {
    const { tensors } = await read(fixture("layouts_zip.pth"));
    expect(tensors.get("shared.a")?.data.buffer).toBe(tensors.get("shared.all")?.data.buffer);
  });

  test("a whole module is refused with the cure", async () => {
    const reading = read(fixture("whole_module.pth"));
    await expect(reading).rejects.toThrow(
      /refuses to call __main__\.Net.*save \{"state_dict": model\.state_dict\(\)\}/,
    );
  });
});

describe("the optimizer's state stays where it is", () => {
  const weights = py.tensor({ key: "0", length: 4 }, 0, [2, 2], [2, 1]);
  const moments = py.tensor({ key: "1", length: 1 << 18 }, 0, [1 << 18], [1]);
  const big = new Uint8Array(1 << 20);
  const pkl = py.pickle(
    py.dict(py.text("state_dict"), py.dict(py.text("w"), weights), py.text("optimizer"), py.dict(py.int(0), moments)),
  );
  test("in a zip", async () => {
    const source = countingSource(py.zipCheckpoint(pkl, { 0: py.floats(1, 2, 3, 4), 1: big }));
    const { tensors } = await readPytorchCheckpoint(source);
    expect([...toFloat32(tensors.get("w") as HostTensor)]).toEqual([1, 2, 3, 4]);
    expect(source.total()).toBeLessThan(80_000); // the zip's end record is sought in the last 64 kB
  });
  test("in a legacy file", async () => {
    const file = py.legacyCheckpoint(pkl, [
      ["1", 1 << 18, big],
      ["0", 4, py.floats(1, 2, 3, 4)],
    ]);
    const source = countingSource(file);
    const { tensors } = await readPytorchCheckpoint(source);
    expect([...toFloat32(tensors.get("w") as HostTensor)]).toEqual([1, 2, 3, 4]);
    expect(source.total()).toBeLessThan((1 << 20) + 1000); // the window in which the pickles are sought, and the weights
  });
});

describe("what other versions of PyTorch and Python write", () => {
  const state = (weights: Uint8Array) => py.pickle(py.dict(py.text("state_dict"), py.dict(py.text("w"), weights)));
  const first = async (file: Uint8Array) => [...(await read(file)).tensors.values()].map((t) => [...toFloat32(t)]);

  test("a view on a storage, from before PyTorch 0.4", async () => {
    const view = py.tuple(py.text("view"), py.int(3), py.int(4));
    const weights = py.tensor({ length: 8, view }, 1, [2], [1]);
    const file = py.legacyCheckpoint(state(weights), [["0", 8, py.floats(0, 1, 2, 3, 4, 5, 6, 7)]]);
    expect(await first(file)).toEqual([[4, 5]]);
  });

  test("Python 2's strings and its OrderedDict as a list of pairs", async () => {
    const str = (s: string) => py.bytes("U", s.length, s);
    const weights = py.tensor({ length: 2 }, 0, [2], [1]);
    const ordered = py.call(py.global("collections", "OrderedDict"), py.bytes("](](", str("w"), weights, "ee"));
    const file = py.zipCheckpoint(py.pickle(py.dict(str("state_dict"), ordered)), { 0: py.floats(8, 9) });
    expect(await first(file)).toEqual([[8, 9]]);
  });

  test("pickle protocol 4", async () => {
    const short = (s: string) => py.bytes(0x8c, s.length, s);
    const named = (module: string, name: string) => py.bytes(short(module), short(name), 0x93, 0x94);
    const id = py.tuple(short("storage"), named("torch", "FloatStorage"), short("0"), short("cpu"), "K", 2);
    const args = py.tuple(id, "Q", "K", 0, "K", 2, 0x85, "K", 1, 0x85, 0x89, ")");
    const weights = py.bytes(named("torch._utils", "_rebuild_tensor_v2"), args, "R");
    const body = py.bytes("}", 0x94, short("w"), weights, "s.");
    const file = py.zipCheckpoint(py.bytes(0x80, 4, 0x95, py.le(body.length, 8), body), { 0: py.floats(1, 2) });
    expect(await first(file)).toEqual([[1, 2]]);
  });

  test("pickles longer than the first window", async () => {
    const padding = py.text("x".repeat(3 << 20));
    const weights = py.tensor({ length: 1 }, 0, [1], [1]);
    const pkl = py.pickle(py.dict(py.text("note"), padding, py.text("state_dict"), py.dict(py.text("w"), weights)));
    expect(await first(py.legacyCheckpoint(pkl, [["0", 1, py.floats(5)]]))).toEqual([[5]]);
  });

  test("module. is kept where only some keys have it", async () => {
    const weights = py.tensor({ length: 1 }, 0, [1], [1]);
    const pkl = py.pickle(py.dict(py.text("module.a"), weights, py.text("b"), weights));
    const { tensors } = await read(py.zipCheckpoint(pkl, { 0: py.floats(5) }));
    expect([...tensors.keys()]).toEqual(["module.a", "b"]);
  });
});

describe("the writer", () => {
  test("its files read back to the same tensors", async () => {
    const { tensors } = await read(fixture("layouts_zip.pth"));
    const info = { epoch: 3, arch: "s2ad", bestAcc: -1.5 };
    const back = await read(serializePytorchCheckpoint(tensors, info));
    expect(back.tensors).toEqual(tensors);
    expect(back.info).toEqual({ container: "zip", ...info, metadata: {} });
  });

  test("the same tensors give the same bytes, each storage aligned to 64", async () => {
    const tensors = new Map<string, HostTensor>([
      ["a", { dtype: "U8", shape: [3], data: Uint8Array.of(201, 202, 203) }],
      ["b", { dtype: "U8", shape: [3], data: Uint8Array.of(204, 205, 206) }],
    ]);
    const file = serializePytorchCheckpoint(tensors);
    expect(serializePytorchCheckpoint(tensors)).toEqual(file);
    for (const first of [201, 204]) {
      const at = file.findIndex((_, i) => file[i] === first && file[i + 1] === first + 1 && file[i + 2] === first + 2);
      expect(at % 64).toBe(0);
    }
  });

  test("a dtype that PyTorch lacks is refused by name", () => {
    const tensors = new Map<string, HostTensor>([["a", { dtype: "U16", shape: [1], data: new Uint8Array(2) }]]);
    expect(() => serializePytorchCheckpoint(tensors)).toThrow(WeightsError);
    expect(() => serializePytorchCheckpoint(tensors)).toThrow(/"a": PyTorch has no storage for U16/);
  });
});
