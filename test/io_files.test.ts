/** Files on disk: ranges of them, what kind of weights they hold, and writing whole or not at all. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { chmod, link, mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { AbortedError, InputError, WeightsError } from "../src/errors.js";
import { blobSource, bytesSource, watchSource } from "../src/io/byte_source.js";
import { fileSource, withFileSource } from "../src/io/file_source.node.js";
import { assertFolder, sameFile, writeFileAtomic } from "../src/io/file_write.node.js";
import { serializeSafetensors } from "../src/io/safetensors.js";
import type { HostTensor } from "../src/io/tensor_data.js";
import { readWeights } from "../src/io/weights_file.js";

const folder = mkdtempSync(join(tmpdir(), "s2am-io-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const text = (s: string) => new TextEncoder().encode(s);

describe("byte sources", () => {
  test("a file, a Blob and memory give the same ranges", async () => {
    const data = Uint8Array.from({ length: 1000 }, (_, i) => i);
    await writeFile(at("range"), data);
    await withFileSource(at("range"), async (file) => {
      for (const source of [file, blobSource(new Blob([data])), bytesSource(data)]) {
        expect(source.size).toBe(1000);
        expect(await source.read(0, 0)).toEqual(new Uint8Array());
        expect(await source.read(300, 5)).toEqual(data.subarray(300, 305));
        expect(await source.read(0, 1000)).toEqual(data);
        await expect(source.read(999, 2)).rejects.toThrow(InputError);
        await expect(source.read(-1, 2)).rejects.toThrow(InputError);
        await expect(source.read(0, 2 ** 53)).rejects.toThrow(InputError);
      }
    });
  });

  test("a watched source reports its progress and stops when told to", async () => {
    const controller = new AbortController();
    const seen: number[][] = [];
    const source = watchSource(bytesSource(new Uint8Array(100)), {
      signal: controller.signal,
      onProgress: (...progress) => seen.push(progress),
    });
    await source.read(0, 10);
    await source.read(50, 30);
    expect(seen).toEqual([
      [10, 100],
      [40, 100],
    ]);
    const reading = source.read(0, 1);
    controller.abort();
    await expect(reading).rejects.toThrow(AbortedError);
    await expect(source.read(0, 1)).rejects.toThrow(AbortedError);
    expect(seen.length).toBe(2);
  });

  test("a file that is missing, or is a folder, or becomes shorter", async () => {
    await expect(fileSource(at("missing"))).rejects.toThrow(/missing: cannot be opened \(no such file or directory\)/);
    await expect(fileSource(folder)).rejects.toThrow(/is a folder/);
    await expect(fileSource("/dev/null")).rejects.toThrow(/not a regular file/);
    await writeFile(at("shrinks"), "0123456789");
    await withFileSource(at("shrinks"), async (source) => {
      await truncate(at("shrinks"), 5);
      await expect(source.read(0, 10)).rejects.toThrow(/became shorter/);
    });
  });
});

describe("readWeights", () => {
  const tensors = new Map<string, HostTensor>([["w", { dtype: "U8", shape: [2], data: Uint8Array.of(1, 2) }]]);
  const read = (bytes: Uint8Array, name = "w.pth.tar") => readWeights(bytesSource(bytes), name);
  const fixture = (name: string) =>
    new Uint8Array(readFileSync(new URL(`fixtures/checkpoints/${name}`, import.meta.url)));

  test("knows safetensors by content, under any name", async () => {
    const weights = await read(serializeSafetensors(tensors, { arch: "unet" }));
    expect(weights.tensors).toEqual(tensors);
    expect(weights.metadata).toEqual({ arch: "unet" });
    expect(weights.info).toBeUndefined();
  });

  test.each(["train_zip.pth.tar", "train_legacy.pth.tar"])("knows %s", async (name) => {
    const weights = await read(fixture(name), "weights.safetensors");
    expect(weights.tensors.get("conv.weight")?.shape).toEqual([4, 3, 3, 3]);
    expect(weights.info?.epoch).toBe(12);
  });

  const tar = new Uint8Array(1024);
  tar.set(text("weights.pth"));
  tar.set(text("ustar"), 257);
  test.each<[string, Uint8Array, RegExp]>([
    ["an empty file", new Uint8Array(), /is empty; expected \.safetensors or a PyTorch checkpoint/],
    ["a real tar", tar, /is a real tar archive; unpack it/],
    ["gzip", gzipSync("x"), /compressed with gzip/],
    ["a web page", text("\n<!DOCTYPE html><title>Quota exceeded</title>"), /is a web page/],
    ["a Git LFS pointer", text("version https://git-lfs.github.com/spec/v1\noid sha256:0"), /run git lfs pull/],
    ["a plain pickle", Uint8Array.of(0x80, 4, 0x4e, 0x2e), /a Python pickle, but not one written by torch\.save/],
    ["a picture", Uint8Array.of(0x89, 0x50, 0x4e, 0x47), /no format of weights that is known/],
    ["another zip", fixture("train_zip.pth.tar").subarray(0, 100), /no end record/],
  ])("refuses %s", async (_, bytes, message) => {
    await expect(read(bytes)).rejects.toThrow(WeightsError);
    await expect(read(bytes)).rejects.toThrow(message);
  });

  test("judges a damaged .safetensors as such", async () => {
    await expect(read(text("12345678oops"), "w.safetensors")).rejects.toThrow(/header of \d+ bytes/);
  });
});

describe("writeFileAtomic", () => {
  test("writes, replaces, and leaves nothing else behind", async () => {
    await mkdir(at("out"));
    for (const content of ["first", "second"]) {
      await writeFileAtomic(at("out/file"), text(content));
      expect(await readFile(at("out/file"), "utf8")).toBe(content);
      expect(await readdir(at("out"))).toEqual(["file"]);
    }
  });

  test("a name as long as the system allows", async () => {
    await writeFileAtomic(at("n".repeat(255)), text("x"));
    expect((await stat(at("n".repeat(255)))).size).toBe(1);
  });

  test("through a symbolic link, its target", async () => {
    await writeFile(at("target"), "old");
    await symlink("target", at("pointer"));
    await writeFileAtomic(at("pointer"), text("new"));
    expect(await readFile(at("target"), "utf8")).toBe("new");
  });

  test("a device stays a device", async () => {
    await writeFileAtomic("/dev/null", text("x"));
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
  });

  test("names the folder that is missing, and the folder given for a file", async () => {
    await expect(writeFileAtomic(at("nowhere/file"), text("x"))).rejects.toThrow(
      /nowhere: no such folder; create it first/,
    );
    await writeFile(at("plain"), "");
    await expect(writeFileAtomic(at("plain/file"), text("x"))).rejects.toThrow(/plain: is not a folder/);
    await expect(writeFileAtomic(folder, text("x"))).rejects.toThrow(/is a folder; name a file/);
    await expect(assertFolder(at("nowhere"))).rejects.toThrow(InputError);
    await expect(assertFolder(folder)).resolves.toBeUndefined();
  });

  test("a refusal of the system leaves the old file and no other", async () => {
    await mkdir(at("full"));
    await writeFile(at("full/kept"), "old");
    await expect(writeFileAtomic(at(`full/${"n".repeat(256)}`), text("x"))).rejects.toThrow(InputError);
    expect(await readdir(at("full"))).toEqual(["kept"]);
    if (process.getuid?.() === 0) return; // root may write anywhere
    await chmod(at("full"), 0o500);
    await expect(writeFileAtomic(at("full/kept"), text("x"))).rejects.toThrow(/permission denied/);
    await chmod(at("full"), 0o700);
    expect(await readFile(at("full/kept"), "utf8")).toBe("old");
  });
});

test("sameFile sees through spellings, links and files that are not there", async () => {
  await writeFile(at("one"), "");
  await writeFile(at("other"), "");
  await symlink("one", at("soft"));
  await link(at("one"), at("hard"));
  await mkdir(at("sub"));
  await symlink("sub", at("sub_link"));
  for (const [a, b, same] of [
    ["one", "sub/../one", true],
    ["one", "soft", true],
    ["one", "hard", true],
    ["one", "other", false],
    ["one", "absent", false],
    ["sub/absent", "sub_link/absent", true],
    ["sub/absent", "absent", false],
  ] as const) {
    expect(await sameFile(at(a), at(b)), `${a} ${b}`).toBe(same);
    expect(await sameFile(relative(process.cwd(), at(a)), at(b))).toBe(same);
  }
});
