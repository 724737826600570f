/**
 * Hostile and broken files: every one ends in an InputError, in bounded time and memory. Bombs go off in a process of
 * their own that does nothing else, and are judged by its high-water mark, which never falls: nothing can hide between
 * two samples.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflateSync } from "node:zlib";
import { build } from "esbuild";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crc32 } from "../src/crc32.js";
import { InputError } from "../src/errors.js";
import { decodeImage, encodeImage } from "../src/image/codec.node.js";
import { inflatedSize, type PngHeader, parseHeader, writeChunks } from "../src/image/png_chunks.js";
import { cpuStopwatch } from "./helpers/cpu_time.js";
import { ihdr, makeExif, makeIcc, makePng, pattern, patternSample, scanlines } from "./image_fixtures.js";

const long = process.env.S2AM_LONG !== undefined;
const RUNS = long ? 200_000 : 20_000;
const NOTHING = new Uint8Array(0);
const END = { type: "IEND", data: NOTHING };

async function outcome(file: Uint8Array): Promise<unknown> {
  return decodeImage(file, { name: "hostile" }).catch((error: unknown) => error);
}

async function expectRefused(file: Uint8Array, message: RegExp): Promise<void> {
  const error = await outcome(file);
  expect(error).toBeInstanceOf(InputError);
  expect((error as InputError).message).toMatch(message);
}

const header = (width: number, height: number, interlaced = false, bitDepth = 8, colorType = 6) =>
  ihdr({ width, height, bitDepth, colorType, interlaced });

describe("bombs", () => {
  /** Compresses a thousandfold. */
  const zeros = (megabytes: number): Uint8Array => deflateSync(new Uint8Array(megabytes << 20), { level: 9 });

  const bombs: [string, RegExp, () => Uint8Array][] = [
    [
      "50,000 x 50,000, hardly a pixel behind it",
      /2500 megapixels, more than the 100 allowed/,
      () => writeChunks([header(50_000, 50_000), { type: "IDAT", data: zeros(1) }, END]),
    ],
    [
      "the same, interlaced",
      /megapixels/,
      () => writeChunks([header(50_000, 50_000, true), { type: "IDAT", data: zeros(1) }, END]),
    ],
    [
      "2^31 - 1 on a side",
      /megapixels/,
      () => writeChunks([header(0x7fffffff, 0x7fffffff), { type: "IDAT", data: zeros(1) }, END]),
    ],
    [
      "10,000 x 10,000 16-bit RGBA, within the cap, but without the pixels",
      /inflate to fewer/,
      () => writeChunks([header(10_000, 10_000, false, 16), { type: "IDAT", data: zeros(2) }, END]),
    ],
    [
      "8 x 8 that inflates to 64 MB",
      /inflate to more bytes than the 264/,
      () => writeChunks([header(8, 8), { type: "IDAT", data: zeros(64) }, END]),
    ],
    [
      "8 x 8 interlaced that inflates to 64 MB",
      /inflate to more/,
      () => writeChunks([header(8, 8, true), { type: "IDAT", data: zeros(64) }, END]),
    ],
    [
      "the same in a thousand chunks",
      /inflate to more/,
      () => {
        const data = zeros(64);
        const part = Math.ceil(data.length / 1000);
        return writeChunks([
          header(8, 8, true),
          ...Array.from({ length: 1000 }, (_, i) => ({ type: "IDAT", data: data.subarray(i * part, (i + 1) * part) })),
          END,
        ]);
      },
    ],
    [
      "a profile of 64 MB",
      /iCCP/,
      () =>
        writeChunks([
          header(1, 1),
          { type: "iCCP", data: Uint8Array.of(65, 0, 0, ...zeros(64)) },
          { type: "IDAT", data: deflateSync(new Uint8Array(5)) },
          END,
        ]),
    ],
    [
      "a million empty chunks",
      /more than 65536 chunks/,
      () =>
        writeChunks([header(1, 1), ...Array.from({ length: 1_000_000 }, () => ({ type: "IDAT", data: NOTHING })), END]),
    ],
    [
      "a chunk of 4 GB",
      /claims 4294967295 bytes/,
      () => {
        const file = writeChunks([header(1, 1), { type: "IDAT", data: NOTHING }, END]);
        new DataView(file.buffer).setUint32(33, 0xffffffff);
        return file;
      },
    ],
    [
      "a chunk of 2 GB",
      /truncated PNG/,
      () => {
        const file = writeChunks([header(1, 1), { type: "IDAT", data: NOTHING }, END]);
        new DataView(file.buffer).setUint32(33, 0x7fffffff);
        return file;
      },
    ],
  ];
  const folder = mkdtempSync(join(tmpdir(), "s2am-bombs-"));
  const decoder = join(folder, "decode.cjs");
  beforeAll(async () => {
    const script = `
      import { readFileSync } from "node:fs";
      import { decodeImage } from "./src/image/codec.node.js";
      const [warm, bomb] = process.argv.slice(2).map((path) => new Uint8Array(readFileSync(path)));
      decodeImage(warm).then(async () => {
        const [before, started] = [process.memoryUsage().rss / 1e6, performance.now()];
        const error = await decodeImage(bomb, { name: "hostile" }).catch((thrown) => thrown);
        const grown = (process.resourceUsage().maxRSS * 1024) / 1e6 - before;
        console.log(JSON.stringify({ code: error.code, message: error.message, grown, ms: performance.now() - started }));
      });`;
    await build({
      stdin: { contents: script, resolveDir: process.cwd(), loader: "ts" },
      bundle: true,
      platform: "node",
      format: "cjs",
      external: ["sharp"],
      outfile: decoder,
    });
    writeFileSync(join(folder, "warm.png"), await encodeImage(pattern(8, 8), "png"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const [name, message, make] of bombs)
    it(name, async () => {
      const path = join(folder, "bomb.png");
      writeFileSync(path, make());
      const { stdout } = await promisify(execFile)(process.execPath, [decoder, join(folder, "warm.png"), path]);
      const result = JSON.parse(stdout) as { code: string; message: string; grown: number; ms: number };
      expect(result.code).toBe("INPUT");
      expect(result.message).toMatch(message);
      expect(result.grown).toBeLessThan(50);
      expect(result.ms).toBeLessThan(3_000);
    });
});

describe("truncations", () => {
  it("a PNG cut anywhere is refused", async () => {
    const icc = makeIcc(256);
    const spec = { width: 7, height: 6, bitDepth: 8, colorType: 2, sample: patternSample };
    const files = [
      await encodeImage({ ...pattern(7, 6, 3), icc, exif: makeExif(6) }, "png"),
      makePng({ ...spec, interlaced: true }),
      makePng({ ...spec, bitDepth: 16, colorType: 0, sample: (x) => x }),
    ];
    for (const file of files) {
      for (let length = 0; length < file.length; length++) await expectRefused(file.subarray(0, length), /hostile: /);
      await expect(decodeImage(file)).resolves.toMatchObject({ depth: file === files[2] ? 16 : 8 });
    }
  });

  it("image data cut, with chunks and checksums made good again, is refused", async () => {
    for (const interlaced of [false, true]) {
      const spec = { width: 9, height: 7, bitDepth: 8, colorType: 6, interlaced, sample: patternSample };
      const packed = deflateSync(scanlines(spec));
      for (let length = 0; length < packed.length; length++)
        await expectRefused(
          writeChunks([ihdr(spec), { type: "IDAT", data: packed.subarray(0, length) }, END]),
          /damaged PNG/,
        );
      const rows = scanlines(spec);
      await expectRefused(
        writeChunks([ihdr(spec), { type: "IDAT", data: deflateSync(rows.subarray(1)) }, END]),
        /fewer/,
      );
      await expectRefused(
        writeChunks([ihdr(spec), { type: "IDAT", data: deflateSync(new Uint8Array([...rows, 0])) }, END]),
        /more/,
      );
      rows[0] = 9;
      await expectRefused(writeChunks([ihdr(spec), { type: "IDAT", data: deflateSync(rows) }, END]), /filter/);
    }
  });

  for (const format of ["jpeg", "webp"] as const)
    it(`a ${format} cut anywhere is refused or, in its last bytes, whole`, async () => {
      const picture = pattern(48, 40);
      const file = await encodeImage(picture, format);
      const whole = await decodeImage(file);
      for (let length = 0; length < file.length; length += long ? 1 : 7) {
        const result = await outcome(file.subarray(0, length));
        // libjpeg forgives a missing end marker when every pixel is there.
        if (result instanceof InputError) continue;
        expect(file.length - length).toBeLessThanOrEqual(16);
        expect(result).toEqual(whole);
      }
    });
});

describe("damage", () => {
  it("every single flipped bit of a PNG is noticed", async () => {
    const file = await encodeImage({ ...pattern(5, 4), exif: makeExif(1) }, "png");
    for (let at = 0; at < file.length; at++)
      for (let bit = 0; bit < 8; bit++) {
        const flipped = file.slice();
        flipped[at] = (flipped[at] as number) ^ (1 << bit);
        await expectRefused(flipped, /hostile: /);
      }
  });

  it("random bytes, spliced and repaired chunks end in a picture or an InputError, quickly", async () => {
    const icc = makeIcc(256);
    const seeds = [
      await encodeImage({ ...pattern(9, 7, 4), icc, exif: makeExif(5) }, "png"),
      makePng({
        width: 9,
        height: 7,
        bitDepth: 4,
        colorType: 3,
        interlaced: true,
        sample: (x, y) => (x + y) % 5,
        before: [
          { type: "PLTE", data: new Uint8Array(15) },
          { type: "tRNS", data: new Uint8Array(5) },
        ],
      }),
      makePng({
        width: 5,
        height: 3,
        bitDepth: 16,
        colorType: 0,
        sample: (x) => x,
        before: [{ type: "tRNS", data: Uint8Array.of(0, 2) }],
      }),
    ];
    const edit = fc.record({ at: fc.nat(), value: fc.nat(255), insert: fc.boolean() });
    let pictures = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(seeds.length - 1),
        fc.array(edit, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (which, edits, repair) => {
          let bytes = [...(seeds[which] as Uint8Array)];
          for (const { at, value, insert } of edits) bytes.splice(8 + (at % (bytes.length - 8)), insert ? 0 : 1, value);
          if (repair) bytes = repairChecksums(bytes);
          const elapsed = cpuStopwatch();
          const result = await decodeImage(Uint8Array.from(bytes), { maxPixels: 1e5 }).catch((error: unknown) => error);
          if (result instanceof Error) expect(result).toBeInstanceOf(InputError);
          else pictures++;
          expect(elapsed()).toBeLessThan(1_000);
        },
      ),
      { numRuns: RUNS, seed: 20250711 },
    );
    expect(pictures).toBeGreaterThan(RUNS / 100);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  for (const format of ["jpeg", "webp"] as const)
    it(`random damage to a ${format} ends in a picture or an InputError`, async () => {
      const file = await encodeImage({ ...pattern(24, 16), exif: makeExif(3), icc: makeIcc(256) }, format);
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
          async (edits) => {
            const damaged = file.slice();
            for (const [at, value] of edits) damaged[at] = value;
            const result = await decodeImage(damaged, { maxPixels: 1e5 }).catch((error: unknown) => error);
            if (result instanceof Error) expect(result).toBeInstanceOf(InputError);
          },
        ),
        { numRuns: RUNS / 40, seed: 42 },
      );
    });
});

/** Makes the checksums of a damaged PNG right again, so that the damage gets past them. */
function repairChecksums(bytes: number[]): number[] {
  const file = Uint8Array.from(bytes);
  const view = new DataView(file.buffer);
  for (let at = 8; at + 12 <= file.length; ) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > file.length) break;
    view.setUint32(end, crc32(file.subarray(at + 4, end)));
    at = end + 4;
  }
  return [...file];
}

describe("chunk arithmetic", () => {
  it("CRC-32 is the standard's", () => {
    expect(crc32(new TextEncoder().encode("123456789"))).toBe(0xcbf43926);
  });

  it("the inflated size counts every row of every pass", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(...forms),
        fc.boolean(),
        (width, height, [colorType, bitDepth], interlaced) => {
          const spec = { width, height, bitDepth, colorType, interlaced, sample: () => 0 };
          const parsed: PngHeader = parseHeader(ihdr(spec).data, "");
          expect(inflatedSize(parsed)).toBe(scanlines(spec).length);
        },
      ),
      { seed: 7 },
    );
  });
  const forms = [
    [0, 1],
    [0, 4],
    [3, 2],
    [2, 8],
    [4, 16],
    [6, 16],
  ] as const;
});
