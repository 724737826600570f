/** Evaluation protocols against Pillow, scikit-image and PyTorch, whose numbers for the same pictures are written down here. */
import { describe, expect, it } from "vitest";
import { crc32 } from "../src/crc32.js";
import { ShapeError } from "../src/errors.js";
import { newFloatImage } from "../src/image/float.js";
import type { Image } from "../src/image/image.js";
import { type Mask, maskFromImage } from "../src/image/mask.js";
import { foregroundShare, MAX_PSNR, measure, PROTOCOL_SIZE, protocolOf } from "../src/image/protocols.js";
import { BICUBIC, BILINEAR, resizeNearest } from "../src/image/resize.js";
import { resize8Bit } from "../src/image/resize_8bit.js";
import { boxMask } from "./helpers/command_line.js";
import { pattern } from "./image_fixtures.js";

const SIZE = PROTOCOL_SIZE;
const checksum = ({ data }: Pick<Image, "data">): number => crc32(Uint8Array.from(data));

describe("resizing as Pillow 9.4 does", () => {
  // Image.fromarray(pattern).resize((256, 256), filter), and of a box .convert("1").resize(...): zlib.crc32 of the bytes.
  it.each([
    [300, 200, 2727904872, 1636689742, 3677840979],
    [97, 131, 3761398329, 2742764091, 2772757540],
    [640, 480, 2237395616, 2617836001, 3865578533],
    [256, 100, 2786355297, 4198874982, 2661829231],
    [1001, 777, 3677441537, 1288391210, 3865578533],
  ])("%d x %d to 256 x 256, bit for bit", (width, height, bilinear, bicubic, nearest) => {
    const image = pattern(width, height);
    expect(checksum(resize8Bit(image, SIZE, SIZE, BILINEAR))).toBe(bilinear);
    expect(checksum(resize8Bit(image, SIZE, SIZE, BICUBIC))).toBe(bicubic);
    const [x0, y0] = [Math.floor(width / 5), Math.floor(height / 4)];
    const mask = maskFromImage(boxMask(width, height, [x0, y0, width >> 1, Math.floor((height * 2) / 3)]));
    const small = resizeNearest(mask, SIZE, SIZE);
    expect(checksum({ data: Uint8Array.from(small.data) })).toBe(nearest);
  });

  it("refuses 16 bits", () => {
    expect(() => resize8Bit(pattern(8, 8, 3, 16), 4, 4, BILINEAR)).toThrow(ShapeError);
  });
});

const [WIDTH, HEIGHT] = [300, 200];
const BOX = [60, 50, 150, 133] as const;

/** The pattern with a box in it that was darkened and tinted. */
function example(): { composite: Image; target: Image; mask: Mask } {
  const target = pattern(WIDTH, HEIGHT);
  const mask = boxMask(WIDTH, HEIGHT, BOX);
  const shift = [40, -25, 90];
  const data = target.data.map((value, i) => {
    if (mask.data[Math.floor(i / 3)] === 0) return value;
    return Math.min(255, Math.max(0, (value >> 1) + (shift[i % 3] ?? 0)));
  });
  return { composite: { ...target, data }, target, mask: maskFromImage(mask) };
}

describe("protocols", () => {
  const { composite, target, mask } = example();
  const measured = (name: Parameters<typeof protocolOf>[0]) => {
    const protocol = protocolOf(name);
    const [a, b] = [protocol.picture(composite), protocol.picture(target)];
    return measure(protocol, a, b, protocol.mask(mask));
  };
  // numpy on Pillow's and PyTorch's pictures; PSNR, MSE and SSIM are scikit-image 0.19's own.
  const expected = {
    default: [465.319574991862, 21.45329038117298, 3721.223778748889, 12.423945734173046, 0.9522570200526426],
    iharmony4: [490.66685994466144, 21.222936345136404, 3936.9668381932534, 12.179186042057822, 0.9529171631140526],
    idih: [475.28892517089844, 21.361226651485744, 3801.3958055072685, 12.331372695777125, 0.9522741758191601],
    paper: [465.319574991862, 21.45329038117298, 3721.223778748889, 12.423945734173046, 0.9522570200526426],
  } as const;

  it.each(Object.entries(expected))("%s", (name, [mse, psnr, fmse, fpsnr, ssim]) => {
    const found = measured(name as keyof typeof expected);
    const wrapped = name === "paper" ? { wrappedMse: expect.closeTo(12.862543741861979, 9) } : {};
    expect(found).toEqual({
      mse: expect.closeTo(mse, 9),
      psnr: expect.closeTo(psnr, 9),
      // The mask's weights are float32, and whoever adds them up rounds in another order.
      fmse: expect.closeTo(fmse, 2),
      fpsnr: expect.closeTo(fpsnr, 5),
      ssim: expect.closeTo(ssim, 9),
      ...wrapped,
    });
  });

  it("take pictures of any form: gray, with alpha, of 16 bits", () => {
    const { picture } = protocolOf("iharmony4");
    const form = { width: SIZE, height: SIZE, channels: 3, depth: 8 };
    for (const image of [pattern(40, 30, 1), pattern(40, 30, 2), pattern(40, 30, 4), pattern(40, 30, 3, 16)])
      expect(picture(image)).toMatchObject(form);
    const [{ data: opaque }, { data: cut }] = [picture(pattern(40, 30)), picture(pattern(40, 30, 4))];
    expect(cut).toEqual(opaque);
  });

  it("of equal pictures: no error, and the largest PSNR", () => {
    const protocol = protocolOf("default");
    const picture = protocol.picture(target);
    const found = measure(protocol, picture, picture, protocol.mask(mask));
    expect(found).toEqual({ mse: 0, psnr: MAX_PSNR, fmse: 0, fpsnr: MAX_PSNR, ssim: 1 });
  });

  it("of an empty mask: the whole picture's figures alone", () => {
    const protocol = protocolOf("default");
    const [a, b] = [protocol.picture(composite), protocol.picture(target)];
    const found = measure(protocol, a, b, newFloatImage(SIZE, SIZE, 1));
    expect(found).toMatchObject({ fmse: Number.NaN, fpsnr: Number.NaN, psnr: expect.closeTo(21.45329, 4) });
  });

  it("the share of the foreground", () => {
    expect(foregroundShare(protocolOf("default").mask(mask))).toBeCloseTo((90 * 83) / (WIDTH * HEIGHT), 4);
  });
});
