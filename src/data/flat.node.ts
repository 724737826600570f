/** The simplest layout: x.jpg, x_mask.png and x_real.jpg side by side. PNG, JPEG and WebP are fine for each. */
import { join, parse } from "node:path";
import { InputError } from "../errors.js";
import type { Entry, Parts } from "./dataset.js";
import { type DataRoot, isPicture, type Listing } from "./listing.node.js";

const COMPANIONS = { mask: "_mask", target: "_real" } as const;
const COMPANION = /_(mask|real)$/;

export async function readFlat(_: DataRoot, listing: Listing): Promise<Parts> {
  const byStem = new Map<string, string>();
  for (const file of listing.files.filter(isPicture)) {
    const { name: stem } = parse(file);
    const other = byStem.get(stem);
    if (other !== undefined) {
      throw new InputError(`${join(listing.folder, file)}: ${other} has the same name; which of the two is meant?`);
    }
    byStem.set(stem, file);
  }
  const all: Entry[] = [];
  for (const [stem, file] of byStem) {
    const path = join(listing.folder, file);
    const owner = stem.replace(COMPANION, "");
    if (owner !== stem) {
      if (byStem.has(owner)) continue;
      throw new InputError(`${path}: belongs to no composite; expected ${join(listing.folder, owner)}.jpg or .png`);
    }
    const companion = async (suffix: string, what: string, extension: string): Promise<string> => {
      const found = byStem.get(stem + suffix);
      if (found) return listing.path(found);
      throw new InputError(`${path}: has no ${what}; expected ${join(listing.folder, stem + suffix)}${extension}`);
    };
    all.push({
      name: file,
      composite: await listing.path(file),
      mask: await companion(COMPANIONS.mask, "mask", ".png"),
      target: await companion(COMPANIONS.target, "real photograph", ".jpg"),
    });
  }
  return { all, train: null, val: null };
}
