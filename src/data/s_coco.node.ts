/** The layout of S2AM's authors: {train,val}2017/{image,mask,natural}/NAME, or one such triple of folders by itself. */
import { join } from "node:path";
import { InputError } from "../errors.js";
import type { Entry, Parts } from "./dataset.js";
import { type DataRoot, isPicture, type Listing } from "./listing.node.js";

const FOLDERS = ["image", "mask", "natural"] as const;
const PARTS = { train: "train2017", val: "val2017" } as const;

export async function isCoco(_: DataRoot, { folders }: Listing): Promise<boolean> {
  return Object.values(PARTS).some((part) => folders.includes(part)) || FOLDERS.every((name) => folders.includes(name));
}

export async function readCoco(root: DataRoot, { folders }: Listing): Promise<Parts> {
  const part = (name: string): Promise<Entry[]> | null => (folders.includes(name) ? readTriples(root, name) : null);
  const [train, val] = [await part(PARTS.train), await part(PARTS.val)];
  return { train, val, all: train || val ? null : await readTriples(root, "") };
}

async function readTriples(root: DataRoot, part: string): Promise<Entry[]> {
  const list = async (name: string): Promise<Listing> => {
    const listing = await root.list(part, name);
    if (listing) return listing;
    throw new InputError(
      `${join(root.path, part, name)}: no such folder; expected ${FOLDERS.join(", ")} beside each other`,
    );
  };
  const [image, mask, natural] = [await list("image"), await list("mask"), await list("natural")];
  const entries: Entry[] = [];
  for (const name of image.files.filter(isPicture)) {
    const composite = await image.path(name);
    for (const [other, what] of [
      [mask, "mask"],
      [natural, "real photograph"],
    ] as const) {
      if (!other.has(name)) throw new InputError(`${composite}: has no ${what}; expected ${join(other.folder, name)}`);
    }
    entries.push({
      name: join(part, "image", name),
      composite,
      mask: await mask.path(name),
      target: await natural.path(name),
    });
  }
  return entries;
}
