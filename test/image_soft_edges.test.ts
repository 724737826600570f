/** Soft edges: no halo and no fringe, judged by composites whose right result is known. */
import { describe, expect, it } from "vitest";
import type { Fit } from "../src/image/fit.js";
import { type FloatImage, fromFloat, newFloatImage, toFloatRgb } from "../src/image/float.js";
import { guidedUpsample } from "../src/image/guided_upsample.js";
import type { Image } from "../src/image/image.js";
import { featherMask, type Mask } from "../src/image/mask.js";
import { paste } from "../src/image/paste.js";
import { resize, resizeToRgb, workingSize } from "../src/image/resize.js";
import { resizeVisible } from "../src/image/resize_weighted.js";
import {
  type Colour,
  discMask,
  EDGES,
  type Edge,
  edgeErrors,
  over,
  surface,
  type Transform,
  transformed,
} from "./helpers/soft_composite.js";
import { pattern } from "./image_fixtures.js";

const [W, H] = [480, 360];
const TRANSFORMS: Record<string, Transform> = {
  brighter: ([r, g, b]) => [1.6 * r, 1.4 * g, 1.2 * b],
  darker: ([r, g, b]) => [0.5 * r, 0.6 * g, 0.8 * b],
  warmer: ([r, g, b]) => [r + 0.15, g + 0.05, b - 0.1],
};
const GROUNDS: Record<string, Colour> = { bright: [0.85, 0.8, 0.75], dark: [0.1, 0.12, 0.15] };
const FOREGROUND: Colour = [0.35, 0.4, 0.45];

interface Scene {
  readonly picture: Image;
  readonly mask: Mask;
  readonly ideal: FloatImage<3>;
  readonly transform: Transform;
}

function scene(edge: Edge, ground: Colour, transform: Transform, contrast: number): Scene {
  const mask = discMask(W, H, edge);
  const foreground = surface(W, H, FOREGROUND, contrast, 1);
  const background = surface(W, H, ground, contrast, 2);
  const picture = fromFloat(over(foreground, background, mask));
  return { picture, mask, ideal: over(transformed(foreground, transform), background, mask), transform };
}

/** A network that answers the finished picture, as it is trained to; or the change of whatever colour it sees. */
type Style = "finished" | "whole";

function harmonized(
  { picture, mask, ideal, transform }: Scene,
  longest: number,
  style: Style,
  fit: Fit = "none",
): Image {
  const { width, height } = workingSize(W, H, longest);
  const input = width === W ? toFloatRgb(picture) : resizeToRgb(picture, width, height);
  const output = style === "finished" ? resize(ideal, width, height) : transformed(input, transform);
  const answer = { input, output, mask: resize(mask, width, height) };
  return paste(picture, guidedUpsample(picture, mask, answer, { fit }), mask);
}

const cases = EDGES.flatMap((edge) =>
  Object.keys(GROUNDS).flatMap((ground) => Object.keys(TRANSFORMS).map((change) => [edge, ground, change] as const)),
);

describe("a plain object before a plain background, its edge soft", () => {
  it.each(cases)("%s, before a %s ground, %s: the change comes in proportion", (edge, ground, change) => {
    const transform = TRANSFORMS[change] as Transform;
    const one = scene(edge, GROUNDS[ground] as Colour, transform, 0);
    // Rounding: half a level of the picture, half of the result, and up to one of the foreground's estimate times a gain
    // of at most 0.6. Mixtures of share m mislead the fit: their change is less than the foreground's by the part 1 - m
    // in the finished picture, and differs by (1 - m) (T(B) - B - T(F) + F) otherwise. A window of 5 x 5 of them is believed
    // by at most min(1, 5 m^32), which leaves a twentieth of that at worst.
    const changeOf = (colour: Colour): number[] => transform(colour).map((value, c) => value - (colour[c] as number));
    const own = changeOf(FOREGROUND);
    const misled = changeOf(GROUNDS[ground] as Colour).map((value, c) => Math.abs(value - (own[c] as number)));
    const twentieth = 255 / 20;
    for (const longest of [480, 160])
      for (const fit of ["none", "auto"] as const) {
        const whole = edgeErrors(harmonized(one, longest, "whole", fit), one.ideal, one.mask);
        expect(whole.largest).toBeLessThan(2 + twentieth * Math.max(...misled));
        const finished = edgeErrors(harmonized(one, longest, "finished", fit), one.ideal, one.mask);
        expect(finished.largest).toBeLessThan(2 + twentieth * Math.max(...own.map(Math.abs)));
      }
  });
});

describe("a textured object", () => {
  it.each(EDGES)("%s: at most a third of the error of changing the mixture's own colour", (edge) => {
    for (const ground of Object.values(GROUNDS)) {
      const transform = TRANSFORMS.brighter as Transform;
      const one = scene(edge, ground, transform, 0.15);
      const mixture = paste(one.picture, transformed(toFloatRgb(one.picture), transform), one.mask);
      const naive = edgeErrors(mixture, one.ideal, one.mask).rms;
      expect(naive).toBeGreaterThan(3);
      for (const longest of [480, 160])
        for (const style of ["whole", "finished"] as const)
          for (const fit of ["none", "auto"] as const)
            expect(edgeErrors(harmonized(one, longest, style, fit), one.ideal, one.mask).rms).toBeLessThan(naive / 3);
    }
  });
});

it("a hard edge at full size is no fringe though reduced pixels are mixtures", () => {
  const transform = TRANSFORMS.brighter as Transform;
  for (const ground of Object.values(GROUNDS)) {
    const soft = scene("smooth over a pixel", ground, transform, 0);
    const mask = { ...soft.mask, data: soft.mask.data.map(Math.round) };
    const foreground = surface(W, H, FOREGROUND, 0, 1);
    const background = surface(W, H, ground, 0, 2);
    const picture = fromFloat(over(foreground, background, mask));
    const one = { picture, mask, ideal: over(transformed(foreground, transform), background, mask), transform };
    const result = harmonized(one, 96, "finished");
    const errors = Array.from(result.data, (value, i) => Math.abs(value - 255 * (one.ideal.data[i] as number)));
    // The twentieth of above, of a change of 0.21, and rounding.
    expect(Math.max(...errors.filter((_, i) => mask.data[Math.floor(i / 3)] === 1))).toBeLessThan(
      2 + (255 / 20) * 0.21,
    );
  }
});

it("a feather fades the change of what is all foreground, and no background is taken out of it", () => {
  const transform = TRANSFORMS.brighter as Transform;
  const mask = discMask(W, H, "smooth over a pixel");
  const sharp = { ...mask, data: mask.data.map(Math.round) };
  const foreground = surface(W, H, FOREGROUND, 0.25, 1);
  const picture = fromFloat(over(foreground, surface(W, H, [0.9, 0.9, 0.9], 0, 2), sharp));
  const input = toFloatRgb(picture);
  const output = transformed(input, transform);
  const weight = featherMask(sharp, 10);
  const result = paste(
    picture,
    guidedUpsample(picture, sharp, { input, output, mask: sharp }, { fit: "none" }),
    weight,
  );
  const ideal = newFloatImage(W, H, 3);
  for (let i = 0; i < ideal.data.length; i++) {
    const before = input.data[i] as number;
    ideal.data[i] = before + (weight.data[Math.floor(i / 3)] as number) * ((output.data[i] as number) - before);
  }
  expect(edgeErrors(result, ideal, weight).largest).toBeLessThan(0.501);
});

describe("what lies under transparency", () => {
  it("does not bleed into what is seen, and is filled from it", () => {
    const data = new Uint8Array(60 * 40 * 4);
    for (let p = 0; p < 60 * 40; p++) data.set(p % 60 < 21 ? [200, 100, 50, 255] : [0, 255, 0, 0], 4 * p);
    const small = resizeVisible({ width: 60, height: 40, channels: 4, depth: 8, data }, 13, 9);
    for (let p = 0; p < small.data.length; p++)
      expect(small.data[p]).toBeCloseTo(([200, 100, 50][p % 3] as number) / 255, 5);
  });

  it("at its own size, what is seen is the picture's to a rounding of float32", () => {
    const image = pattern(17, 11, 4);
    const same = resizeVisible(image, 17, 11).data;
    for (let p = 0; p < 17 * 11; p++)
      for (let c = 0; c < 3; c++)
        if (image.data[4 * p + 3] !== 0)
          expect(Math.abs((same[3 * p + c] as number) - (image.data[4 * p + c] as number) / 255)).toBeLessThan(
            2 ** -22,
          );
  });
});
