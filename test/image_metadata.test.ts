/** Colour profiles and EXIF survive byte for byte; orientation is applied once; nothing converts a pixel. */
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { UsageError } from "../src/errors.js";
import { decodeImage, encodeImage } from "../src/image/codec.node.js";
import { readOrientation } from "../src/image/exif.js";
import type { Channels } from "../src/image/image.js";
import { applyOrientation, type Orientation } from "../src/image/orientation.js";
import { makeExif, makeIcc, pattern } from "./image_fixtures.js";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("metadata", () => {
  const icc = makeIcc(150_004);
  const exif = makeExif(1, { thumbnail: false });
  for (const format of ["png", "jpeg", "webp"] as const) {
    it(`${format}: ICC and EXIF survive byte for byte, and sharp reads them`, async () => {
      for (const channels of [1, 3, 4] as Channels[]) {
        if (format === "jpeg" && channels === 4) continue;
        const profile = makeIcc(150_004, channels === 1 && format !== "webp" ? "GRAY" : "RGB ");
        const grayWebp = channels === 1 && format === "webp";
        const encoded = await encodeImage({ ...pattern(40, 30, channels), icc: profile, exif }, format);
        const back = await decodeImage(encoded);
        // WebP has no gray: an RGB profile does not fit the gray picture that was written, so it is left out.
        expect(back.icc).toEqual(grayWebp ? undefined : profile);
        expect(back.exif).toEqual(exif);
        const seen = await sharp(encoded).metadata();
        expect(seen).toMatchObject({ width: 40, height: 30, format });
        if (!grayWebp) expect(new Uint8Array(seen.icc as Buffer)).toEqual(profile);
        await sharp(encoded, { ignoreIcc: true, failOn: "warning" }).raw().toBuffer();
      }
    });

    it(`${format}: a profile does not change the decoded pixels`, async () => {
      const p3 = await sharp({ create: { width: 8, height: 8, channels: 3, background: "#888" } })
        .withIccProfile("p3")
        .png()
        .toBuffer();
      const profile = (await decodeImage(p3)).icc as Uint8Array;
      expect(profile.length).toBeGreaterThan(128);
      const image = pattern(32, 32);
      const plain = await decodeImage(await encodeImage(image, format, { quality: 100 }));
      const tagged = await decodeImage(await encodeImage({ ...image, icc: profile }, format, { quality: 100 }));
      expect(tagged.data).toEqual(plain.data);
      expect(tagged.icc).toEqual(profile);
    });

    for (const orientation of [1, 2, 3, 4, 5, 6, 7, 8] as Orientation[])
      it(`${format}: orientation ${orientation} is applied once and the tag reset`, async () => {
        const stored = pattern(24, 16);
        for (const little of [true, false]) {
          const encoded = await encodeImage({ ...stored, exif: makeExif(orientation, { little }) }, format, {
            quality: 100,
          });
          const image = await decodeImage(encoded);
          const plain = await decodeImage(await encodeImage(stored, format, { quality: 100 }));
          const upright = applyOrientation(plain, orientation);
          expect(image.data).toEqual(upright.data);
          expect([image.width, image.height]).toEqual(orientation >= 5 ? [16, 24] : [24, 16]);
          expect(readOrientation(image.exif as Uint8Array)).toBe(1);
          if (format === "png") continue; // libvips does not turn PNGs
          const { data } = await sharp(encoded).autoOrient().raw().toBuffer({ resolveWithObject: true });
          expect(image.data).toEqual(new Uint8Array(data));
        }
      });
  }

  it("the stale thumbnail is unlinked and blanked, the rest of EXIF untouched", async () => {
    const before = makeExif(6);
    const { exif: after } = await decodeImage(await encodeImage({ ...pattern(5, 4), exif: before }, "png"));
    const expected = before.slice();
    new DataView(expected.buffer).setUint16(30, 1, true);
    new DataView(expected.buffer).setUint32(34, 0, true);
    expected.fill(0, 80, 96);
    expect(after).toEqual(expected);
  });

  it("a profile for another number of channels is left out", async () => {
    expect(
      (await decodeImage(await encodeImage({ ...pattern(4, 4, 3), icc: makeIcc(200, "GRAY") }, "png"))).icc,
    ).toBeUndefined();
    expect((await decodeImage(await encodeImage({ ...pattern(4, 4, 1), icc }, "png"))).icc).toBeUndefined();
  });

  it("EXIF that JPEG cannot hold is refused, not dropped", async () => {
    await expect(encodeImage({ ...pattern(4, 4), exif: new Uint8Array(70_000) }, "jpeg")).rejects.toThrow(UsageError);
    const kept = await decodeImage(await encodeImage({ ...pattern(4, 4), exif: new Uint8Array(70_001) }, "webp"));
    expect(kept.exif?.length).toBe(70_001);
  });

  it("broken EXIF is carried, not believed", async () => {
    for (const exif of [bytes(1, 2, 3), makeExif(9), makeExif(6).subarray(0, 20)])
      expect((await decodeImage(await encodeImage({ ...pattern(5, 4), exif }, "png"))).width).toBe(5);
  });
});
