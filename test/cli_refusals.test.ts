/** Everything that can be wrong with what the command line is given: exit code 2, a message that names it, no file. */
import { linkSync, mkdirSync, symlinkSync, truncateSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { writeChunks } from "../src/image/png_chunks.js";
import { serializeNpy } from "../src/io/npy.js";
import { serializeSafetensors } from "../src/io/safetensors.js";
import { fromFloat32 } from "../src/io/tensor_data.js";
import { boxMask, tinyTensors, tinyWeights, workspace } from "./helpers/command_line.js";
import { bytes, call, global, le, legacyCheckpoint, pickle, text, zipCheckpoint } from "./helpers/pickles.js";
import { checkpointOf } from "./helpers/pytorch_checkpoints.js";
import { ihdr, makePng, pattern } from "./image_fixtures.js";

const work = workspace();
const values = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => (i % 255) / 255);

beforeAll(async () => {
  await work.picture("a.png", pattern(64, 48));
  await work.picture("mask.png", boxMask(64, 48, [10, 10, 40, 30]));
  work.write("tiny.safetensors", tinyWeights());
  work.write("x.npy", serializeNpy([1, 4, 32, 32], values(4 * 32 * 32)));
  mkdirSync(work.path("folder"));
});

describe("pictures", () => {
  const bomb = (interlaced: boolean): Uint8Array =>
    writeChunks([
      ihdr({ width: 60000, height: 60000, bitDepth: 8, colorType: 2, interlaced }),
      { type: "IDAT", data: new Uint8Array(64) },
      { type: "IEND", data: new Uint8Array(0) },
    ]);
  const whole = makePng({ width: 64, height: 48, bitDepth: 8, colorType: 2, sample: (x, y) => (x * y) & 255 });
  const files: Record<string, Uint8Array | string> = {
    "text.png": "not a picture",
    "empty.png": "",
    "truncated.png": whole.subarray(0, whole.length / 2),
    "bomb.png": bomb(false),
    "bomb_interlaced.png": bomb(true),
  };
  beforeAll(async () => {
    for (const [name, content] of Object.entries(files)) work.write(name, content);
    await work.picture("small_mask.png", boxMask(63, 48, [10, 10, 40, 30]));
    await work.picture("empty_mask.png", boxMask(64, 48, [0, 0, 0, 0]));
    await work.picture("full_mask.png", boxMask(64, 48, [0, 0, 64, 48]));
    await work.picture("opaque.png", { ...pattern(64, 48, 4), data: pattern(64, 48, 4).data.fill(255) });
    await work.picture("clear.png", pattern(64, 48, 4));
  });

  test.each([
    ["missing.png", "mask.png", /missing\.png: cannot be read \(no such file\)/],
    ["a.png", "missing.png", /missing\.png: cannot be read \(no such file\)/],
    ["text.png", "mask.png", /text\.png: .*expected a PNG, JPEG or WebP/],
    ["empty.png", "mask.png", /empty\.png: .*empty/],
    ["truncated.png", "mask.png", /truncated\.png: .*(truncated|damaged)/],
    ["bomb.png", "mask.png", /bomb\.png: 60000 x 60000 = 3600 megapixels, more than the 100 allowed/],
    ["bomb_interlaced.png", "mask.png", /bomb_interlaced\.png: 60000 x 60000 = 3600 megapixels/],
    ["a.png", "folder", /folder: a folder; expected a picture/],
    ["a.png", "small_mask.png", /small_mask\.png is 63 x 48 pixels and a\.png 64 x 48/],
    ["a.png", "empty_mask.png", /empty_mask\.png: empty, no pixel is marked/],
    ["a.png", "mask.png --max-pixels 3000", /64 x 48 = .* allowed; raise --max-pixels/],
    ["a.png", "full_mask.png --invert-mask", /full_mask\.png: empty/],
    ["a.png", "", /a\.png: no mask was given, and the picture has no alpha/],
    ["opaque.png", "", /opaque\.png: no mask was given, and .*opaque everywhere/],
  ])("%s %s", (composite, mask, message) =>
    work.refused(["harmonize", composite, ...mask.split(" ").filter(Boolean), "-o", "out.png"], message),
  );

  test("transparency that a JPEG output would lose", () =>
    work.refused(["harmonize", "clear.png", "mask.png", "-o", "out.jpg"], /out\.jpg: JPEG has no transparency/));
});

describe("outputs", () => {
  const harmonize = ["harmonize", "a.png", "mask.png", "-o"];
  beforeAll(() => {
    symlinkSync(work.path("a.png"), work.path("symlink.png"));
    linkSync(work.path("mask.png"), work.path("hardlink.png"));
    symlinkSync(work.path("tiny.safetensors"), work.path("link.safetensors"));
    mkdirSync(work.path("folder.png"));
  });

  test.each([
    [[...harmonize, "out.gif"], /out\.gif: cannot tell the output's format from \.gif/],
    [[...harmonize, "out"], /out: cannot tell the output's format from a name without extension/],
    [["harmonize", "missing.png", "-o", "out.tiff"], /out\.tiff: cannot tell/],
    [[...harmonize, "nowhere/out.png"], /nowhere: no such folder/],
    [[...harmonize, "a.png/out.png"], /a\.png: is not a folder/],
    [[...harmonize, "folder.png"], /folder\.png: is a folder/],
    [[...harmonize, "a.png"], /a\.png: the output must not be an input/],
    [[...harmonize, "./folder/../mask.png"], /mask\.png: the output must not be an input/],
    [[...harmonize, "symlink.png"], /symlink\.png: the output must not be an input/],
    [[...harmonize, "hardlink.png"], /hardlink\.png: the output must not be an input/],
    [[...harmonize, "out.png", "--compare", "mask.png"], /mask\.png: the output must not be an input/],
    [[...harmonize, "out.png", "--compare", "out.png"], /--compare must not name the output/],
    [[...harmonize, "out.png", "--compare", "nowhere/strip.png"], /nowhere: no such folder/],
    [["convert", "tiny.safetensors", "nowhere/w.safetensors"], /nowhere: no such folder/],
    [["convert", "tiny.safetensors", "w.bin"], /w\.bin: the output's name must end in/],
    [["convert", "tiny.safetensors", "link.safetensors"], /link\.safetensors: the output must not be the input/],
    [["run", "--weights", "tiny.safetensors", "--input", "x.npy", "--output", "nowhere/y.npy"], /nowhere: no such/],
    [["run", "--weights", "tiny.safetensors", "--input", "x.npy", "--output", "x.npy"], /x\.npy: the output must not/],
    [["run", "--weights", "tiny.safetensors", "--input", "x.npy", "--output", "link.safetensors"], /must not be an/],
  ])("%j", (args, message) => work.refused(args, message));
});

describe("arrays", () => {
  const npy = (shape: readonly number[]): Uint8Array => serializeNpy(shape, values(shape.reduce((a, b) => a * b, 1)));
  const good = npy([1, 4, 32, 32]);
  const withNaN = values(4 * 32 * 32);
  withNaN[77] = Number.NaN;
  const files: Record<string, Uint8Array> = {
    "nan.npy": serializeNpy([1, 4, 32, 32], withNaN),
    "rgb.npy": npy([1, 3, 32, 32]),
    "flat.npy": npy([4, 32, 32]),
    "odd.npy": npy([1, 4, 32, 40]),
    "none.npy": npy([0, 4, 32, 32]),
    "truncated.npy": good.subarray(0, good.length - 5),
    "double.npy": Buffer.from(Buffer.from(good).toString("latin1").replace("<f4", "<f8"), "latin1"),
    "no.npy": good.subarray(0, 3),
  };
  beforeAll(() => {
    for (const [name, content] of Object.entries(files)) work.write(name, content);
    // 4 TiB, all but the header a hole that no disk has to hold.
    const side = 2 ** 19;
    const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (1, 4, ${side}, ${side}), }`.padEnd(117);
    work.write("huge.npy", bytes(0x93, "NUMPY", 1, 0, le(118, 2), header, "\n"));
    truncateSync(work.path("huge.npy"), 128 + 4 * 4 * side * side);
  });

  test.each([
    ["missing.npy", /missing\.npy: cannot be opened/],
    ["folder", /folder: is a folder/],
    ["nan.npy", /nan\.npy: element 77 is NaN; every value must be finite/],
    ["rgb.npy", /rgb\.npy: expected \[B,4,H,W\].*got \[1,3,32,32\]/],
    ["flat.npy", /flat\.npy: expected \[B,4,H,W\]/],
    ["odd.npy", /odd\.npy: H and W must be multiples of 32/],
    ["none.npy", /none\.npy: .*got \[0,4,32,32\]/],
    ["truncated.npy", /truncated\.npy: is truncated/],
    ["double.npy", /double\.npy: holds "<f8", expected "<f4"/],
    ["no.npy", /no\.npy: is not a \.npy file/],
    ["a.png", /a\.png: is not a \.npy file/],
    ["huge.npy", /huge\.npy needs .* MiB of memory/],
  ])("%s", (input, message) =>
    work.refused(["run", "--weights", "tiny.safetensors", "--input", input, "--output", "y.npy"], message),
  );
});

describe("weights", () => {
  const flipped = (file: Uint8Array, at: number): Uint8Array => file.map((byte, i) => (i === at ? byte ^ 1 : byte));
  const safetensors = (header: string, length = header.length, data = 0): Uint8Array =>
    bytes(le(length, 8), header, new Uint8Array(data));
  const good = tinyWeights();
  const zip = checkpointOf(tinyTensors(), "zip");
  const legacy = checkpointOf(tinyTensors(), "legacy");
  const attack = pickle(call(global("os", "system"), text(`touch "${work.path("called")}"`)));
  const changed = (key: string, shape: readonly number[], at?: number): Uint8Array =>
    tinyWeights((tensors) => {
      const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
      if (at !== undefined) data[at] = Number.NaN;
      tensors.set(key, fromFloat32(data, shape, "F32"));
    });
  const files: Record<string, Uint8Array | string> = {
    "empty.pth": "",
    "text.pth": "not weights",
    "text.safetensors": "not weights",
    "truncated.safetensors": good.subarray(0, good.length - 1),
    "huge_header.safetensors": safetensors("{}", 2 ** 40),
    "header_past_end.safetensors": safetensors("{}", 1000),
    "past_end.safetensors": safetensors('{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}', undefined, 8),
    "truncated.pth": zip.subarray(0, zip.length - 100),
    "flipped.pth": flipped(zip, zip.length >> 1),
    "truncated_legacy.pth": legacy.subarray(0, legacy.length - 100),
    "flipped_legacy.pth": flipped(legacy, Buffer.from(legacy).indexOf("up.1.bias")),
    "attack.pth": zipCheckpoint(attack),
    "attack_legacy.pth": legacyCheckpoint(attack),
    "other.safetensors": serializeSafetensors(new Map([["conv.weight", fromFloat32(values(9), [1, 1, 3, 3], "F32")]])),
    "missing_one.safetensors": tinyWeights((tensors) => tensors.delete("model.model.up.1.bias")),
    "extra.safetensors": changed("discriminator.weight", [4]),
    "misshapen.safetensors": changed("model.model.up.1.bias", [4]),
    "nan.safetensors": changed("model.model.up.1.bias", [3], 2),
    "liar.safetensors": serializeSafetensors(tinyTensors(), { arch: "s2ad" }),
  };
  beforeAll(() => {
    for (const [name, content] of Object.entries(files)) work.write(name, content);
    work.write("huge.safetensors", good);
    truncateSync(work.path("huge.safetensors"), 2 ** 42);
  });

  const refusals: [string, RegExp][] = [
    ["missing.safetensors", /missing\.safetensors: cannot be opened \(no such file/],
    ["folder", /folder: is a folder/],
    ["a.png", /a\.png: is in no format of weights that is known/],
    ["empty.pth", /empty\.pth: is empty/],
    ["text.pth", /text\.pth: is in no format of weights/],
    ["text.safetensors", /text\.safetensors: /],
    ["truncated.safetensors", /truncated\.safetensors: .*past the file's end/],
    ["huge.safetensors", /huge\.safetensors needs 4194304\.0 MiB of memory, .* are free/],
    ["huge_header.safetensors", /declares a safetensors header of 1099511627776 bytes/],
    ["header_past_end.safetensors", /declares a safetensors header of 1000 bytes, but has only/],
    ["past_end.safetensors", /past the file's end/],
    ["truncated.pth", /truncated\.pth: /],
    ["flipped.pth", /flipped\.pth: .*does not match its CRC-32/],
    ["truncated_legacy.pth", /truncated_legacy\.pth: /],
    ["flipped_legacy.pth", /flipped_legacy\.pth: .*missing model\.model\.up\.1\.bias/],
    ["attack.pth", /attack\.pth: refuses to call os\.system/],
    ["attack_legacy.pth", /attack_legacy\.pth: refuses to call os\.system/],
    ["other.safetensors", /not weights of an S2AM U-Net \(it has conv\.weight\)/],
    ["missing_one.safetensors", /missing model\.model\.up\.1\.bias/],
    ["extra.safetensors", /extra discriminator\.weight/],
    ["misshapen.safetensors", /model\.model\.up\.1\.bias is \[4\], expected \[3\]/],
    ["nan.safetensors", /model\.model\.up\.1\.bias holds a value that is not finite at element 2/],
    ["liar.safetensors", /its metadata says arch s2ad, its tensors are those of arch unet/],
  ];
  test.each(refusals)("%s", (name, message) => work.refused(["convert", name, "out.safetensors"], message));

  test("the same refusals from the commands that compute", async () => {
    const run = ["run", "--input", "x.npy", "--output", "y.npy", "--weights"];
    await work.refused([...run, "attack.pth"], /refuses to call os\.system/);
    const harmonize = ["harmonize", "a.png", "mask.png", "-o", "out.png", "--weights"];
    await work.refused([...harmonize, "misshapen.safetensors"], /expected \[3\]/, { before: false });
    expect(work.exists("called")).toBe(false);
  });
});

describe("adapters", () => {
  const harmonize = ["harmonize", "a.png", "mask.png", "-o", "out.png", "--weights", "tiny.safetensors"];
  test("no adapter of that name: those there are", () =>
    work.refused([...harmonize, "--adapter", "voodoo"], /no adapter is named "voodoo"; there are: /));

  test.runIf(process.platform === "linux")("no GPU", () => {
    const env = { VK_DRIVER_FILES: "/nonexistent.json", VK_ICD_FILENAMES: "/nonexistent.json" };
    return work.refused([...harmonize, "--adapter", "gpu"], /no hardware adapter: /, { env });
  });
});
