/**
 * What is measured on: a folder's composites with their photographs, or composites made of its photographs at full size by
 * what `s2am synth` does. As they are not squeezed to a square of the network's size, outline and restyling are drawn here.
 */
import { readdirSync, writeFileSync } from "node:fs";
import { join, parse } from "node:path";
import { openDataset } from "../../../src/data/open_dataset.node.js";
import { judge, measure } from "../../../src/data/synth/judge.js";
import { Draws } from "../../../src/data/synth/random_draws.js";
import { drawRecipe, restyle } from "../../../src/data/synth/recipe.js";
import { paste, regionOf } from "../../../src/data/synth/region_pixels.js";
import { randomShape } from "../../../src/data/synth/shapes.js";
import { InputError } from "../../../src/errors.js";
import { DEFAULT_MAX_PIXELS, readSize } from "../../../src/image/codec.node.js";
import type { Image } from "../../../src/image/image.js";
import { decodeReduced, encodePngQuickly } from "../../../src/image/sharp.node.js";
import { reason } from "../../../src/io/file_source.node.js";
import { hashKeys, hashText, mulberry32 } from "../../../src/random.js";

/** Paths of one composite, its mask and the photograph that it should come to. */
export interface Case {
  readonly name: string;
  readonly composite: string;
  readonly mask: string;
  readonly real: string;
}

const PICTURE = /\.(png|jpe?g|webp)$/i;
export const LEAST_MEGAPIXELS = 2;
export const MOST_MEGAPIXELS = 16;
const [LEAST_SHARE, MOST_SHARE] = [0.05, 0.4];
const ATTEMPTS = 24;

/**
 * @param made folder for what is made
 * @throws InputError where there is nothing of the right size in the folder
 */
export async function findCases(folder: string, limit: number, seed: number, made: string): Promise<Case[]> {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => PICTURE.test(name));
  } catch (cause) {
    throw new InputError(`${folder}: cannot be read (${reason(cause)})`, { cause });
  }
  const hasMasks = names.some((name) => /_mask$/i.test(parse(name).name));
  const found = hasMasks ? await triples(folder) : names.sort().map((name) => join(folder, name));
  const cases: Case[] = [];
  for (const one of found) {
    if (cases.length >= limit) break;
    const { width, height } = await readSize(typeof one === "string" ? one : one.composite);
    const megapixels = (width * height) / 1e6;
    if (megapixels < LEAST_MEGAPIXELS || megapixels > MOST_MEGAPIXELS) continue;
    const usable = typeof one === "string" ? await makeCase(one, seed, made) : one;
    if (usable) cases.push(usable);
  }
  if (cases.length > 0) return cases;
  throw new InputError(
    `${folder}: nothing to measure on; expected photographs of ${LEAST_MEGAPIXELS} to ${MOST_MEGAPIXELS} megapixels, or composites of that size as NAME.jpg, NAME_mask.png and NAME_real.jpg`,
  );
}

async function triples(folder: string): Promise<Case[]> {
  const { entries } = await openDataset(folder);
  return entries.map(({ name, composite, mask, target }) => ({
    name: parse(name).name,
    composite,
    mask,
    real: target,
  }));
}

/** Null where no draw gives a composite that is worth looking at. The same seed gives the same one. */
async function makeCase(path: string, seed: number, made: string): Promise<Case | null> {
  const { image } = await decodeReduced(path, { shortest: Number.POSITIVE_INFINITY, maxPixels: DEFAULT_MAX_PIXELS });
  const { name } = parse(path);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const composed = compose(image, new Draws(mulberry32(hashKeys(seed, hashText(name), attempt))));
    if (!composed) continue;
    const { composite, mask } = composed;
    const write = async (kind: string, picture: Image): Promise<string> => {
      const file = join(made, `${name}_${kind}.png`);
      writeFileSync(file, await encodePngQuickly(picture));
      return file;
    };
    return {
      name,
      composite: await write("composite", composite),
      mask: await write("mask", mask),
      real: await write("real", image),
    };
  }
  return null;
}

/** @param image 8-bit RGB */
export function compose(image: Image, draws: Draws): { readonly composite: Image; readonly mask: Image } | null {
  const { width, height } = image;
  const side = Math.max(width, height);
  const square = randomShape(side, draws.scale(LEAST_SHARE, MOST_SHARE), draws);
  const [left, top] = [(side - width) >> 1, (side - height) >> 1];
  const mask = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const from = (top + y) * side + left;
    mask.set(square.subarray(from, from + width), y * width);
  }
  const natural = image.data as Uint8Array;
  const region = regionOf(natural, mask);
  if (region.length === 0) return null;
  const restyled = restyle(region, drawRecipe("s-coco", false, draws), null, draws, (change) => change);
  const data = paste(natural, restyled, mask);
  if (judge(measure(natural, data, mask), LEAST_SHARE, MOST_SHARE) !== null) return null;
  return { composite: { ...image, data }, mask: { width, height, channels: 1, depth: 8, data: mask } };
}
