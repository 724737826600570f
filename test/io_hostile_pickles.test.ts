/** Pickles that attack their reader, and storages that lie: each refused by name, in both containers, in no time. */
import { describe, expect, test } from "vitest";
import { WeightsError } from "../src/errors.js";
import { bytesSource } from "../src/io/byte_source.js";
import { readPytorchCheckpoint } from "../src/io/pytorch/checkpoint.js";
import { cpuStopwatch } from "./helpers/cpu_time.js";
import * as py from "./helpers/pickles.js";

const read = (bytes: Uint8Array) => readPytorchCheckpoint(bytesSource(bytes), "evil.pth");

async function refusal(bytes: Uint8Array): Promise<string> {
  const elapsed = cpuStopwatch();
  const error = await read(bytes).then(
    () => new Error("was read"),
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(WeightsError);
  const { message } = error as WeightsError;
  expect(message).toMatch(/^evil\.pth: /);
  expect(elapsed()).toBeLessThan(1000);
  expect(Object.keys(Object.prototype)).toEqual([]);
  return message;
}

const system = py.global("posix", "system");
const ordered = py.call(py.global("collections", "OrderedDict"));
const repeat = (part: Uint8Array, count: number) =>
  Uint8Array.from({ length: part.length * count }, (_, i) => part[i % part.length] ?? 0);
const short = (s: string) => py.bytes(0x8c, s.length, s);

const hostile: [string, Uint8Array, RegExp][] = [
  ["os.system by REDUCE", py.pickle(py.call(system, py.text("true"))), /refuses to call posix\.system/],
  ["os.system on Windows", py.pickle(py.call(py.global("nt", "system"), py.text("x"))), /refuses to call nt\.system/],
  ["os.system by STACK_GLOBAL", py.pickle(short("posix"), short("system"), 0x93), /refuses to call posix\.system/],
  ["os.system by INST", py.pickle("(", py.text("true"), "iposix\nsystem\n"), /refuses to call posix\.system/],
  ["INST of an allowed name", py.pickle("(icollections\nOrderedDict\n"), /constructs an object \(INST\)/],
  ["OBJ", py.pickle("(", py.global("collections", "OrderedDict"), "o"), /opcode OBJ/],
  ["NEWOBJ", py.pickle(py.global("collections", "OrderedDict"), ")", 0x81), /opcode NEWOBJ/],
  ["NEWOBJ_EX", py.pickle(py.global("collections", "OrderedDict"), ")}", 0x92), /opcode NEWOBJ_EX/],
  ["EXT1", py.pickle(0x82, 1), /opcode EXT1/],
  ["PERSID", py.pickle("Pposix\n"), /opcode PERSID/],
  ["the text opcodes of protocol 0", py.pickle("I01\n"), /opcode 0x49/],
  ["builtins.eval", py.pickle(py.call(py.global("builtins", "eval"), py.text("1"))), /refuses to call builtins\.eval/],
  ["Python 2's eval", py.pickle(py.global("__builtin__", "eval")), /refuses to call __builtin__\.eval/],
  ["getattr", py.pickle(py.global("builtins", "getattr")), /refuses to call builtins\.getattr/],
  ["an attribute of an allowed name", py.pickle(py.global("torch", "FloatStorage.__init__")), /FloatStorage\.__init__/],
  ["a name split elsewhere", py.pickle(py.global("collections.OrderedDict", "fromkeys")), /OrderedDict\.fromkeys/],
  ["a name of Object.prototype", py.pickle(py.global("__proto__", "constructor")), /__proto__\.constructor/],
  ["a global that breaks the message", py.pickle(py.global("a\x1b[2J", "b")), /refuses to call a\\u001b\[2J\.b/],
  [
    "a global hidden in the optimizer",
    py.pickle(py.dict(py.text("optimizer"), system)),
    /refuses to call posix\.system/,
  ],
  ["a call of what is no function", py.pickle(py.call(ordered)), /not a function/],
  [
    "a storage type, called",
    py.pickle(py.call(py.global("torch", "FloatStorage"), py.int(4))),
    /arguments that PyTorch/,
  ],
  [
    "_codecs.encode to another codec",
    py.pickle(py.call(py.global("_codecs", "encode"), py.text("x"), py.text("zip"))),
    /arguments/,
  ],
  ["BUILD with __setstate__", py.pickle(ordered, py.dict(py.text("__setstate__"), py.int(1)), "b"), /BUILD/],
  ["BUILD on a dict", py.pickle("}", py.dict(py.text("_metadata"), "}"), "b"), /BUILD/],
  ["BUILD on a tensor", py.pickle(py.tensor({}, 0, [1], [1]), "}b"), /BUILD/],
  ["deep nesting by marks", py.pickle(repeat(py.bytes("("), 100_000)), /nested deeper than 256/],
  ["deep nesting by lists", py.pickle(repeat(py.bytes("]"), 100_000)), /piles up more than 65536 values/],
  ["deep nesting by tuples", py.pickle(")", repeat(py.bytes(0x85), 900_000)), /holds no state_dict/],
  [
    "a memo bomb",
    py.pickle("]q", 0, "(", repeat(py.bytes("h", 0), 60_000), "e", repeat(py.bytes("2"), 70_000)),
    /piles up/,
  ],
  ["doubling lists", py.pickle("]q", 0, repeat(py.bytes("]q", 0, "h", 0, "a"), 100_000)), /piles up/],
  [
    "a list shared by many dicts",
    py.pickle(
      "](",
      repeat(py.tuple(py.int(1), py.int(2)), 30_000),
      "eq",
      0,
      "0",
      repeat(py.bytes(py.call(py.global("collections", "OrderedDict"), "h", 0), "0"), 10_000),
    ),
    /more than 1000000 steps/,
  ],
  ["endless steps", py.pickle(repeat(py.bytes("N0"), 1_000_000)), /more than 1000000 steps/],
  ["LONG4 of 2 GB", py.pickle(0x8b, py.le(2 ** 31 - 1, 4)), /integer of 2147483647 bytes/],
  ["LONG4 of negative length", py.pickle(0x8b, py.le(-1, 4)), /integer of 4294967295 bytes/],
  ["BINBYTES8 of 2^63", py.pickle(0x8e, py.le(2n ** 63n, 8)), /claims more than/],
  ["BINUNICODE8 of 2^64 - 1", py.pickle(0x8d, py.le(-1, 8)), /claims more than/],
  ["BINUNICODE past the end", py.pickle("X", py.le(1000, 4)), /breaks off/],
  ["a huge memo index without a value", py.pickle("j", py.le(-1, 4)), /never stored/],
  ["text that is not UTF-8", py.pickle("X", py.le(2, 4), [0xc0, 0xaf]), /not UTF-8/],
  ["a global without an end", py.pickle("c", "x".repeat(10_000)), /too long/],
  ["protocol 77", py.bytes(0x80, 77, "N."), /protocol above 5/],
  ["an empty stack", py.pickle(), /empty stack/],
  ["a value under the mark", py.pickle("N(0000"), /empty stack/],
  ["a group never opened", py.pickle("t"), /never opened/],
  ["a key without a value", py.pickle("}(Nu"), /key without a value/],
  ["append to a dict", py.pickle("}Na"), /not a list/],
  ["items into a list", py.pickle("]NNs"), /not a dict/],
  ["values left over", py.pickle("NN"), /left over/],
  ["a persistent id that is no storage", py.pickle(py.tuple(py.text("module"), py.text("os")), "Q"), /not a storage/],
  [
    "a storage of an unknown type",
    py.pickle(py.tuple(py.text("storage"), py.text("float"), py.text("0"), "N", py.int(1)), "Q"),
    /not a storage/,
  ],
  ["no dict at all", py.pickle(py.int(1)), /holds no state_dict/],
  ["an empty dict", py.pickle("}"), /holds no state_dict/],
  [
    "a state_dict with a number in it",
    py.pickle(py.dict(py.text("state_dict"), py.dict(py.text("lr"), py.int(1)))),
    /"lr" is not a tensor/,
  ],
  [
    "a key nested too deep to print",
    py.pickle("})", repeat(py.bytes(0x85), 500_000), "Ns"),
    /expected tensors or the key "state_dict", found a key that is no string/,
  ],
  [
    "a dict of something else",
    py.pickle(py.dict(py.text("generator"), "}")),
    /expected tensors or the key "state_dict", found "generator"/,
  ],
];

describe("hostile pickles are refused", () => {
  test.each(hostile)("%s", async (_, pkl, message) => {
    expect(await refusal(py.zipCheckpoint(pkl))).toMatch(message);
    expect(await refusal(py.legacyCheckpoint(pkl))).toMatch(message);
  });
});

describe("lying storages are refused", () => {
  const data = py.floats(1, 2, 3, 4);
  const stateOf = (...keysAndTensors: Uint8Array[]) =>
    py.pickle(py.dict(py.text("state_dict"), py.dict(...keysAndTensors)));
  const both = (pkl: Uint8Array) => [py.zipCheckpoint(pkl, { 0: data }), py.legacyCheckpoint(pkl, [["0", 4, data]])];
  test.each<[string, Uint8Array, RegExp]>([
    [
      "a tensor larger than its storage",
      py.tensor({}, 0, [5], [1]),
      /"w" \[5\], strides \[1\], offset 0, reaches past its storage of 4/,
    ],
    ["an offset past the end", py.tensor({}, 4, [1], [1]), /reaches past/],
    ["a stride past the end", py.tensor({}, 0, [2], [4]), /reaches past/],
    ["strides that overflow", py.tensor({}, 0, [2, 2], [2 ** 52, 2 ** 52]), /reaches past/],
    ["a shape that overflows", py.tensor({}, 0, [2 ** 40, 2 ** 40], [0, 0]), /reaches past/],
    ["a broadcast to terabytes", py.tensor({}, 0, [2 ** 40], [0]), /reaches past/],
    ["an empty tensor past the end", py.tensor({}, 9, [0], [1]), /reaches past/],
    ["a negative offset", py.tensor({}, -1, [1], [1]), /arguments that PyTorch/],
    ["a negative size", py.tensor({}, 0, [-1], [1]), /arguments that PyTorch/],
    ["a negative stride", py.tensor({}, 3, [2], [-1]), /arguments that PyTorch/],
    ["sizes without strides", py.tensor({}, 0, [2, 2], [2]), /arguments that PyTorch/],
    ["100 dimensions", py.tensor({}, 0, Array(100).fill(1), Array(100).fill(1)), /arguments that PyTorch/],
    [
      "a view past its storage",
      py.tensor({ view: py.tuple(py.text("v"), py.int(2), py.int(3)) }, 0, [1], [1]),
      /view past the end/,
    ],
  ])("%s", async (_, tensor, message) => {
    for (const file of both(stateOf(py.text("w"), tensor))) expect(await refusal(file)).toMatch(message);
  });

  test("a length that is not the file's", async () => {
    const longer = stateOf(py.text("w"), py.tensor({ length: 5 }, 0, [5], [1]));
    expect(await refusal(py.zipCheckpoint(longer, { 0: data }))).toMatch(
      /storage "0" should have 20 bytes, the archive has 16/,
    );
    expect(await refusal(py.legacyCheckpoint(longer, [["0", 4, data]]))).toMatch(
      /truncated: storage "0" needs 28 bytes/,
    );
    expect(await refusal(py.legacyCheckpoint(longer, [["0", 4, py.floats(1, 2, 3, 4, 5)]]))).toMatch(
      /has 4 elements, its pickle says 5/,
    );
    const huge = stateOf(py.text("w"), py.tensor({ length: 2 ** 52 }, 0, [5], [1]));
    expect(await refusal(py.legacyCheckpoint(huge, [["0", 2 ** 52, data]]))).toMatch(/is truncated/);
    expect(await refusal(py.legacyCheckpoint(huge, [["0", -1, data]]))).toMatch(/is truncated/);
  });

  test("a storage that is not there", async () => {
    const absent = stateOf(py.text("w"), py.tensor({ key: "../etc/passwd" }, 0, [1], [1]));
    expect(await refusal(py.zipCheckpoint(absent, { 0: data }))).toMatch(/the archive has no such entry/);
    expect(await refusal(py.legacyCheckpoint(absent))).toMatch(/list of storages/);
    expect(await refusal(py.legacyCheckpoint(absent, [["0", 4, data]]))).toMatch(/list of storages/);
  });

  test("one storage described in two ways, or listed twice", async () => {
    const two = stateOf(
      py.text("a"),
      py.tensor({}, 0, [1], [1]),
      py.text("b"),
      py.tensor({ type: "IntStorage" }, 0, [1], [1]),
    );
    for (const file of both(two)) expect(await refusal(file)).toMatch(/storage "0" in two ways/);
    const one = stateOf(py.text("a"), py.tensor({}, 0, [1], [1]));
    const twice = py.legacyCheckpoint(one, [
      ["0", 4, data],
      ["0", 4, data],
    ]);
    expect(await refusal(twice)).toMatch(/list of storages/);
  });

  test("bytes after the end", async () => {
    const one = stateOf(py.text("a"), py.tensor({}, 0, [1], [1]));
    expect(await refusal(py.bytes(py.legacyCheckpoint(one, [["0", 4, data]]), 0))).toMatch(
      /1 bytes follow the last storage/,
    );
    expect(await refusal(py.zipCheckpoint(py.bytes(one, "junk"), { 0: data }))).toMatch(/4 bytes follow its pickle/);
  });

  test("many strided views that unfold to far more than the file", async () => {
    const side = 256;
    const square = new Uint8Array(4 * side * side);
    const spec = { length: side * side };
    const views = Array.from({ length: 50 }, (_, i) => [py.text(`w${i}`), py.tensor(spec, 0, [side, side], [1, side])]);
    const file = py.zipCheckpoint(stateOf(...views.flat()), { 0: square });
    expect(await refusal(file)).toMatch(/strided views unfold to 13107200 bytes/);
  });

  test("a shape that is changed after it was checked", async () => {
    const args = [py.storage(), py.int(0), py.bytes(")q", 7), py.bytes(")q", 8)];
    const late = py.bytes(
      py.call(py.global("torch._utils", "_rebuild_tensor_v2"), ...args),
      "h",
      7,
      py.text("x"),
      "a0",
    );
    for (const file of both(stateOf(py.text("w"), late))) {
      expect((await read(file)).tensors.get("w")?.shape).toEqual([]);
    }
  });

  test("a big-endian file", async () => {
    const head = py.LEGACY_HEAD.slice();
    head[head.lastIndexOf(0x88)] = 0x89;
    const file = py.bytes(head, py.legacyCheckpoint(py.pickle("}")).subarray(py.LEGACY_HEAD.length));
    expect(await refusal(file)).toMatch(/big-endian/);
  });
});
