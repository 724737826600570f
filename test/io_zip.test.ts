/** Zip archives: checksums, zip64, and directories that lie. */
import { readFileSync } from "node:fs";
import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { unzipSync, zipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { crc32 } from "../src/crc32.js";
import { WeightsError } from "../src/errors.js";
import { bytesSource } from "../src/io/byte_source.js";
import { openZip } from "../src/io/zip_reader.js";
import { writeStoredZip } from "../src/io/zip_writer.js";
import * as py from "./helpers/pickles.js";

const text = (s: string) => new TextEncoder().encode(s);
const open = (bytes: Uint8Array) => openZip(bytesSource(bytes), "x.pth");
const files = new Map([
  ["a/one", text("first")],
  ["a/tw\u00f6", text("second")],
  ["a/empty", new Uint8Array()],
]);

/** Where a signature begins, the last time it occurs. */
function find(bytes: Uint8Array, signature: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = bytes.length - 4; at >= 0; at--) if (view.getUint32(at, true) === signature) return at;
  throw new Error("no such signature");
}

/** The file with `value` written over `width` bytes at `offset` from the last place of `signature`. */
function patched(signature: number, offset: number, width: number, value: number | bigint): Uint8Array {
  const bytes = writeStoredZip(files);
  bytes.set(py.le(value, width), find(bytes, signature) + offset);
  return bytes;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;

test("crc32 is zlib's", () => {
  expect(crc32(text("123456789"))).toBe(0xcbf43926);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(7), (data, skip) => {
      expect(crc32(data.subarray(skip))).toBe(zlibCrc32(data.subarray(skip)));
    }),
  );
});

describe("round trip", () => {
  test("through our reader and another's", async () => {
    const bytes = writeStoredZip(files);
    const zip = await open(bytes);
    expect([...zip.entries.keys()]).toEqual([...files.keys()]);
    for (const [name, data] of files) expect(await zip.read(name)).toEqual(data);
    expect(unzipSync(bytes)).toEqual(Object.fromEntries(files));
  });

  test("another's stored archive, with a comment", async () => {
    const zip = await open(zipSync({ "a/b": text("data") }, { level: 0, comment: "PK\x05\x06 not the end" }));
    expect(await zip.read("a/b")).toEqual(text("data"));
  });

  test("zip64 sizes, offsets and end record", async () => {
    const name = text("a/b");
    const data = text("data");
    const local = py.bytes(py.le(LOCAL, 4), py.le(45, 2), new Uint8Array(20), py.le(3, 2), py.le(0, 2), name, data);
    const wide = py.bytes(py.le(1, 2), py.le(24, 2), py.le(4, 8), py.le(4, 8), py.le(0, 8));
    const other = py.bytes(py.le(0x4246, 2), py.le(2, 2), "ZZ");
    const ones = py.le(-1, 4);
    const sizes = py.bytes(py.le(crc32(data), 4), ones, ones, py.le(3, 2), py.le(wide.length + other.length, 2));
    const central = py.bytes(py.le(CENTRAL, 4), new Uint8Array(12), sizes, new Uint8Array(10), ones, name, other, wide);
    const end64 = py.bytes(
      py.le(0x06064b50, 4),
      py.le(44, 8),
      new Uint8Array(12),
      py.le(1, 8),
      py.le(1, 8),
      py.le(central.length, 8),
      py.le(local.length, 8),
    );
    const locator = py.bytes(py.le(0x07064b50, 4), py.le(0, 4), py.le(local.length + central.length, 8), py.le(1, 4));
    const end = py.bytes(py.le(END, 4), py.le(0, 4), py.le(-1, 2), py.le(-1, 2), ones, ones, py.le(0, 2));
    const zip = await open(py.bytes(local, central, end64, locator, end));
    expect(await zip.read("a/b")).toEqual(data);
    const astray = locator.slice();
    astray.set(py.le(2n ** 60n, 8), 8);
    await expect(open(py.bytes(local, central, end64, astray, end))).rejects.toThrow(/zip64 end record/);
  });
});

describe("refused", () => {
  const twice = writeStoredZip(
    new Map([
      ["a/one", text("1")],
      ["a/two", text("2")],
    ]),
  );
  for (let at = find(twice, CENTRAL); at < twice.length - 5; at++) {
    if (new TextDecoder().decode(twice.subarray(at, at + 5)) === "a/two") twice.set(text("a/one"), at);
  }
  test.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(), /no end record/],
    ["a truncated archive", writeStoredZip(files).subarray(0, -1), /no end record: the file is truncated/],
    ["bytes after the end", py.bytes(writeStoredZip(files), 0), /no end record/],
    ["bytes before the beginning", py.bytes(0, writeStoredZip(files)), /not where the end record says/],
    ["a directory past the end", patched(END, 16, 4, 1 << 30), /not where the end record says/],
    ["a directory of 4 GB", patched(END, 12, 4, 0xfffffff0), /not where the end record says/],
    ["fewer entries than promised", patched(END, 10, 2, 4), /directory is damaged/],
    ["a broken record", patched(CENTRAL, 0, 1, 0), /directory is damaged/],
    ["a name past the directory", patched(CENTRAL, 28, 2, 0xffff), /directory is damaged/],
    ["different sizes", patched(CENTRAL, 20, 4, 3), /directory is damaged/],
    ["zip64 without its field", patched(CENTRAL, 42, 4, 0xffffffff), /directory is damaged/],
    ["an offset past the data", patched(CENTRAL, 42, 4, 0xfffffff0), /"a\/empty" reaches past/],
    ["compression", zipSync({ "a/b": new Uint8Array(1000) }), /"a\/b" is compressed/],
    ["encryption", patched(CENTRAL, 8, 2, 1), /"a\/empty" is compressed or encrypted/],
    ["two entries of one name", twice, /two entries called "a\/one"/],
  ])("%s", async (_, bytes, message) => {
    await expect(open(bytes)).rejects.toThrow(WeightsError);
    await expect(open(bytes)).rejects.toThrow(message);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["a local header elsewhere", patched(CENTRAL, 42, 4, 1), /damaged local header/],
    ["another name", patched(LOCAL, 30, 1, 0x62), /damaged local header/],
    ["padding past the data", patched(LOCAL, 28, 2, 0xffff), /damaged local header/],
    ["an entry that is not there", writeStoredZip(new Map()), /no entry "a\/empty"/],
    ["a wrong checksum", patched(CENTRAL, 16, 4, 1), /does not match its CRC-32/],
  ])("when read: %s", async (_, bytes, message) => {
    const zip = await open(bytes);
    await expect(zip.read("a/empty")).rejects.toThrow(WeightsError);
    await expect(zip.read("a/empty")).rejects.toThrow(message);
  });

  test("every flipped bit of an entry's data", async () => {
    const bytes = new Uint8Array(readFileSync(new URL("fixtures/checkpoints/train_zip.pth.tar", import.meta.url)));
    const zip = await open(bytes);
    const pkl = [...zip.entries.keys()].find((name) => name.endsWith("/data.pkl")) ?? "";
    const data = await zip.read(pkl);
    for (let bit = 0; bit < 8 * data.length; bit += 97) {
      data[bit >> 3] = (data[bit >> 3] ?? 0) ^ (1 << (bit & 7)); // a view into the file
      await expect(zip.read(pkl)).rejects.toThrow(/CRC-32/);
      data[bit >> 3] = (data[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    }
  });
});
