/** Pictures through the codecs: every PNG form exactly, JPEG and WebP, and clear refusals. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, it, vi } from "vitest";
import { InputError, UsageError } from "../src/errors.js";
import { decodeImage, encodeImage, formatOfPath } from "../src/image/codec.node.js";
import { grayToRgb, type Image } from "../src/image/image.js";
import { readChunks } from "../src/image/png_chunks.js";
import { ihdr, makeIcc, makePng, pattern, patternSample } from "./image_fixtures.js";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const SIZES = [
  [1, 1],
  [3, 5],
  [9, 8],
  [17, 4],
] as const;

describe("PNG decoding", () => {
  const forms = [
    [0, 1],
    [0, 2],
    [0, 4],
    [0, 8],
    [0, 16],
    [2, 8],
    [2, 16],
    [4, 8],
    [4, 16],
    [6, 8],
    [6, 16],
  ] as const;
  for (const [colorType, bitDepth] of forms)
    for (const interlaced of [false, true])
      it(`colour type ${colorType}, ${bitDepth} bits${interlaced ? ", interlaced" : ""}: every sample exactly`, async () => {
        for (const [width, height] of SIZES) {
          const top = 2 ** bitDepth - 1;
          const sample = (x: number, y: number, c: number): number => (patternSample(x, y, c) * 257 + x) % (top + 1);
          const image = await decodeImage(makePng({ width, height, bitDepth, colorType, interlaced, sample }));
          const channels = ({ 0: 1, 2: 3, 4: 2, 6: 4 } as const)[colorType];
          expect(image).toMatchObject({ width, height, channels, depth: bitDepth === 16 ? 16 : 8 });
          const scale = bitDepth < 8 ? 255 / top : 1;
          const expected: number[] = [];
          for (let y = 0; y < height; y++)
            for (let x = 0; x < width; x++)
              for (let c = 0; c < channels; c++) expected.push(Math.round(sample(x, y, c) * scale));
          expect([...image.data]).toEqual(expected);
        }
      });

  for (const bitDepth of [1, 2, 4, 8])
    it(`palette of ${bitDepth} bits, opaque and with transparency`, async () => {
      const colours = 2 ** bitDepth;
      const palette = Uint8Array.from({ length: 3 * colours }, (_, i) => (i * 83) % 256);
      const alpha = Uint8Array.from({ length: colours - 1 }, (_, i) => (i * 61) % 256);
      const spec = {
        width: 9,
        height: 5,
        bitDepth,
        colorType: 3,
        sample: (x: number, y: number) => (x * 3 + y) % colours,
      };
      const opaque = await decodeImage(makePng({ ...spec, before: [{ type: "PLTE", data: palette }] }));
      const keyed = await decodeImage(
        makePng({
          ...spec,
          interlaced: true,
          before: [
            { type: "PLTE", data: palette },
            { type: "tRNS", data: alpha },
          ],
        }),
      );
      expect([opaque.channels, keyed.channels]).toEqual([3, 4]);
      for (let y = 0, i = 0; y < 5; y++)
        for (let x = 0; x < 9; x++, i++) {
          const index = spec.sample(x, y);
          const rgb = [...palette.subarray(3 * index, 3 * index + 3)];
          expect([...opaque.data.subarray(3 * i, 3 * i + 3)]).toEqual(rgb);
          expect([...keyed.data.subarray(4 * i, 4 * i + 4)]).toEqual([...rgb, alpha[index] ?? 255]);
        }
    });

  it("a colour key becomes alpha and leaves the keyed colour as it is", async () => {
    const gray = await decodeImage(
      makePng({
        width: 4,
        height: 1,
        bitDepth: 2,
        colorType: 0,
        sample: (x) => x,
        before: [{ type: "tRNS", data: bytes(0, 2) }],
      }),
    );
    expect([...gray.data]).toEqual([0, 255, 85, 255, 170, 0, 255, 255]);
    const rgb = await decodeImage(
      makePng({
        width: 2,
        height: 1,
        bitDepth: 16,
        colorType: 2,
        sample: (x, _, c) => 1000 * (x + 1) + c,
        before: [{ type: "tRNS", data: bytes(7, 208, 7, 209, 7, 210) }],
      }),
    );
    expect([...rgb.data]).toEqual([1000, 1001, 1002, 65535, 2000, 2001, 2002, 0]);
  });

  it("reads files of another encoder: all filters, interlaced, as libpng does", async () => {
    const source = pattern(61, 43);
    const png = await sharp(source.data, { raw: { width: 61, height: 43, channels: 3 } })
      .png({ progressive: true, adaptiveFiltering: true })
      .toBuffer();
    expect((await decodeImage(png)).data).toEqual(source.data);
  });

  it("ignores bytes after IEND and never gamma-corrects", async () => {
    const gamma = { type: "gAMA", data: bytes(0, 0, 100, 0) };
    const png = makePng({
      width: 3,
      height: 2,
      bitDepth: 8,
      colorType: 0,
      sample: (x, y) => x + 3 * y + 100,
      before: [gamma],
    });
    const image = await decodeImage(new Uint8Array([...png, 1, 2, 3]));
    expect([...image.data]).toEqual([100, 101, 102, 103, 104, 105]);
    expect(image.pngColour).toEqual([gamma]);
  });
});

describe("PNG encoding", () => {
  for (const depth of [8, 16] as const)
    for (const channels of [1, 2, 3, 4] as const)
      it(`${depth} bits, ${channels} channels: back exactly, and libpng agrees`, async () => {
        const image = pattern(23, 17, channels, depth);
        const png = await encodeImage(image, "png");
        expect(await decodeImage(png)).toEqual(image);
        const other = await sharp(png, { ignoreIcc: true })
          .toColourspace(depth === 16 ? "rgb16" : "srgb")
          .raw({ depth: depth === 16 ? "ushort" : "uchar" })
          .toBuffer();
        const samples = depth === 16 ? new Uint16Array(new Uint8Array(other).buffer) : new Uint8Array(other);
        expect(samples).toEqual(grayToRgb(image).data);
      });

  it("writes samples that are a view into a larger buffer", async () => {
    for (const depth of [8, 16] as const) {
      const image = pattern(8, 6, 3, depth);
      const room = depth === 16 ? new Uint16Array(1000) : new Uint8Array(1000);
      room.set(image.data, 5);
      const view = { ...image, data: room.subarray(5, 5 + image.data.length) };
      expect((await decodeImage(await encodeImage(view, "png"))).data).toEqual(image.data);
    }
  });

  it("keeps cICP, gAMA and cHRM verbatim; sRGB gives way to a profile", async () => {
    const pngColour = [
      { type: "cICP", data: bytes(9, 16, 0, 1) },
      { type: "sRGB", data: bytes(0) },
      { type: "gAMA", data: bytes(0, 0, 177, 143) },
      { type: "cHRM", data: new Uint8Array(32).fill(1) },
    ];
    const plain = await decodeImage(await encodeImage({ ...pattern(4, 4), pngColour }, "png"));
    expect(plain.pngColour).toEqual(pngColour);
    const icc = makeIcc(500);
    const png = await encodeImage({ ...pattern(4, 4), pngColour, icc }, "png");
    expect(readChunks(png, "").map(({ type }) => type)).toEqual([
      "IHDR",
      "cICP",
      "gAMA",
      "cHRM",
      "iCCP",
      "IDAT",
      "IEND",
    ]);
  });
});

describe("JPEG and WebP", () => {
  it("are near the original at high quality; WebP at 100 is lossless, also under transparent pixels", async () => {
    const smooth: Image = {
      ...pattern(64, 48),
      data: Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => 40 + ((i / 3) % 64) * 2 + (i % 3) * 20),
    };
    const jpeg = await decodeImage(await encodeImage(smooth, "jpeg"));
    expect(Math.max(...jpeg.data.map((v, i) => Math.abs(v - (smooth.data[i] as number))))).toBeLessThan(6);
    const image = pattern(31, 9, 4);
    expect(await decodeImage(await encodeImage(image, "webp", { quality: 100 }))).toEqual(image);
  });

  it("gray JPEG stays gray; 16 bits are rounded to 8", async () => {
    const flat: Image = { width: 16, height: 16, channels: 1, depth: 16, data: new Uint16Array(256).fill(51400) };
    const back = await decodeImage(await encodeImage(flat, "jpeg"));
    expect(back).toMatchObject({ channels: 1, depth: 8 });
    expect(Math.abs((back.data[0] as number) - 200)).toBeLessThanOrEqual(1);
  });

  it("an opaque alpha is no obstacle to JPEG, a transparent one is", async () => {
    const opaque: Image = { width: 2, height: 1, channels: 4, depth: 8, data: bytes(9, 9, 9, 255, 9, 9, 9, 255) };
    expect((await decodeImage(await encodeImage(opaque, "jpeg"))).channels).toBe(3);
    await expect(encodeImage({ ...opaque, data: bytes(9, 9, 9, 255, 9, 9, 9, 254) }, "jpeg")).rejects.toThrow(
      /no transparency/,
    );
  });

  it("CMYK and animations are refused by name", async () => {
    const cmyk = await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
      .toColourspace("cmyk")
      .jpeg()
      .toBuffer();
    await expect(decodeImage(cmyk, { name: "ad.jpg" })).rejects.toThrow(/^ad\.jpg: a CMYK picture/);
    const frames = Buffer.concat([Buffer.alloc(300, 10), Buffer.alloc(300, 200)]);
    const webp = await sharp(frames, { raw: { width: 10, height: 20, channels: 3, pageHeight: 10 } })
      .webp({ loop: 0, delay: [50, 50] })
      .toBuffer();
    await expect(decodeImage(webp)).rejects.toThrow(/animation of 2 frames/);
    const apng = makePng({
      width: 1,
      height: 1,
      bitDepth: 8,
      colorType: 0,
      sample: () => 0,
      before: [{ type: "acTL", data: bytes(0, 0, 0, 2, 0, 0, 0, 0) }],
    });
    await expect(decodeImage(apng)).rejects.toThrow(/animated PNG/);
  });

  it("without sharp, the error says how to install it, and PNG still works", async () => {
    vi.resetModules();
    vi.doMock("sharp", () => {
      throw new Error("Cannot find package 'sharp'");
    });
    const fresh = await import("../src/image/codec.node.js");
    await expect(fresh.encodeImage(pattern(2, 2), "jpeg")).rejects.toThrow(/npm install sharp/);
    await expect(fresh.decodeImage(await fresh.encodeImage(pattern(2, 2), "png"))).resolves.toMatchObject({ width: 2 });
    vi.doUnmock("sharp");
    vi.resetModules();
  });
});

describe("refusals", () => {
  const folder = mkdtemp(join(tmpdir(), "s2am-image-"));

  it("a missing file, a folder, an empty file, text, other formats", async () => {
    const dir = await folder;
    const file = async (name: string, contents: string | Uint8Array): Promise<string> => {
      await writeFile(join(dir, name), contents);
      return join(dir, name);
    };
    await expect(decodeImage(join(dir, "no.png"))).rejects.toThrow(/no\.png: cannot be read \(no such file\)/);
    await expect(decodeImage(dir)).rejects.toThrow(/a folder; expected a picture/);
    await expect(decodeImage(await file("a.png", ""))).rejects.toThrow(/an empty file; expected a PNG, JPEG or WebP/);
    await expect(decodeImage(await file("b.jpg", "hello, this is no picture at all"))).rejects.toThrow(/not an image/);
    await expect(decodeImage(await file("c.png", "GIF89a..................."))).rejects.toThrow(/a GIF file/);
    await expect(decodeImage(await file("d.png", "\0\0\0\x20ftypavif............."))).rejects.toThrow(/an AVIF file/);
    await expect(decodeImage(join(dir, "no\0.png"))).rejects.toThrow(InputError);
  });

  it("the format is told by content, not by name", async () => {
    const path = join(await folder, "really_a_png.jpg");
    await writeFile(path, await encodeImage(pattern(3, 2), "png"));
    expect((await decodeImage(path)).data).toEqual(pattern(3, 2).data);
  });

  it("more pixels than allowed, in every format, at exactly one pixel over", async () => {
    for (const format of ["png", "jpeg", "webp"] as const) {
      const encoded = await encodeImage(pattern(20, 10), format);
      await expect(decodeImage(encoded, { maxPixels: 199, name: "x" })).rejects.toThrow(
        /x: 20 x 10 = .* raise --max-pixels/,
      );
      await expect(decodeImage(encoded, { maxPixels: 200 })).resolves.toMatchObject({ width: 20 });
    }
  });

  it("nonsense in IHDR, a missing palette, a bad colour key, a broken profile", async () => {
    const spec = { width: 2, height: 2, bitDepth: 8, colorType: 0, sample: () => 0 };
    const refused = async (png: Uint8Array, message: RegExp): Promise<void> => {
      const error: unknown = await decodeImage(png).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(InputError);
      expect((error as Error).message).toMatch(message);
    };
    await refused(makePng({ ...spec, width: 0 }), /claims 0 x 2/);
    await refused(makePng({ ...spec, colorType: 5 }), /colour type 5/);
    await refused(makePng({ ...spec, bitDepth: 4, colorType: 2 }), /colour type 2 with 4 bits/);
    await refused(makePng({ ...spec, colorType: 3 }), /without PLTE/);
    await refused(
      makePng({ ...spec, colorType: 3, sample: () => 7, before: [{ type: "PLTE", data: bytes(1, 2, 3) }] }),
      /not in palette/,
    );
    await refused(makePng({ ...spec, before: [{ type: "tRNS", data: bytes(1) }] }), /tRNS has 1 bytes/);
    await refused(makePng({ ...spec, before: [{ type: "iCCP", data: bytes(65, 0, 0, 1, 2, 3) }] }), /iCCP/);
    const bomb = deflateSync(new Uint8Array(17 << 20));
    await refused(makePng({ ...spec, before: [{ type: "iCCP", data: new Uint8Array([65, 0, 0, ...bomb]) }] }), /iCCP/);
    expect(ihdr(spec).data.length).toBe(13);
  });

  it("outputs: formats by extension, quality in range", async () => {
    expect(["a.PNG", "b.jpg", "c.jpeg", "d.webp"].map(formatOfPath)).toEqual(["png", "jpeg", "jpeg", "webp"]);
    expect(() => formatOfPath("a.tiff")).toThrow(/\.tiff; use \.png/);
    expect(() => formatOfPath("a")).toThrow(UsageError);
    await expect(encodeImage(pattern(2, 2), "jpeg", { quality: 0 })).rejects.toThrow(UsageError);
    await expect(
      encodeImage({ ...pattern(1, 1, 1), width: 70_000, data: new Uint8Array(70_000) }, "jpeg"),
    ).rejects.toThrow(/PNG has no limit/);
  });
});
