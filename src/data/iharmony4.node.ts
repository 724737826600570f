/**
 * iHarmony4: subsets with composite_images, masks and real_images, where many composites share a mask and a photograph:
 * c108140_1698416_1.jpg has the mask c108140_1698416.png and the photograph c108140.jpg. IHD_train.txt and IHD_test.txt
 * name the composites of each part by their paths from the root.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../errors.js";
import { reason } from "../io/file_source.node.js";
import type { Entry, Parts } from "./dataset.js";
import { type DataRoot, isPicture, type Listing } from "./listing.node.js";

const COMPOSITES = "composite_images";
const MASKS = "masks";
const PHOTOGRAPHS = "real_images";
const LISTS = { train: "IHD_train.txt", val: "IHD_test.txt" } as const;

export async function isIharmony4(root: DataRoot, listing: Listing): Promise<boolean> {
  const isListed = Object.values(LISTS).some((name) => listing.has(name));
  return isListed || (await subsetsOf(root, listing)).length > 0;
}

/** Folders that hold composites, the root itself being "". */
async function subsetsOf(root: DataRoot, { folders }: Listing): Promise<string[]> {
  if (folders.includes(COMPOSITES)) return [""];
  const found: string[] = [];
  for (const name of folders) if (await root.list(name, COMPOSITES)) found.push(name);
  return found;
}

export async function readIharmony4(root: DataRoot, listing: Listing): Promise<Parts> {
  const subsets = new Map<string, Subset>();
  const subset = async (name: string): Promise<Subset> => {
    const known = subsets.get(name) ?? (await Subset.open(root, name));
    subsets.set(name, known);
    return known;
  };
  const listed = async (list: string): Promise<Entry[] | null> => {
    if (!listing.has(list)) return null;
    const entries: Entry[] = [];
    for (const { folder, name, where } of await readList(await listing.path(list))) {
      entries.push(await (await subset(folder)).entry(name, where));
    }
    return entries;
  };
  const [train, val] = [await listed(LISTS.train), await listed(LISTS.val)];
  if (train || val) return { train, val, all: null };
  const all: Entry[] = [];
  for (const name of await subsetsOf(root, listing)) all.push(...(await (await subset(name)).entries()));
  return { train, val, all };
}

interface ListedComposite {
  /** The subset's path from the root. */
  readonly folder: string;
  readonly name: string;
  /** File and line, for messages. */
  readonly where: string;
}

async function readList(path: string): Promise<ListedComposite[]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new InputError(`${path}: cannot be read (${reason(cause)})`, { cause });
  });
  return text.split(/\r?\n/).flatMap((line, index) => {
    const place = line.trim();
    if (place === "") return [];
    const where = `${path}: line ${index + 1}`;
    const parts = place.split("/");
    if (place.includes("\0") || /^(\/|[A-Za-z]:|\\)/.test(place) || parts.some((part) => /^\.{0,2}$/.test(part))) {
      throw new InputError(`${where} leads out of the folder: ${JSON.stringify(place.slice(0, 200))}`);
    }
    const [name = "", composites, ...folder] = parts.reverse();
    if (composites !== COMPOSITES) {
      throw new InputError(
        `${where}: expected a path such as HCOCO/${COMPOSITES}/c108140_1698416_1.jpg, got ${JSON.stringify(place.slice(0, 200))}`,
      );
    }
    return [{ folder: folder.reverse().join("/"), name, where }];
  });
}

class Subset {
  private constructor(
    readonly folder: string,
    private readonly composites: Listing,
    private readonly masks: Listing,
    private readonly photographs: Listing,
  ) {}

  static async open(root: DataRoot, folder: string): Promise<Subset> {
    const list = async (name: string): Promise<Listing> => {
      const listing = await root.list(folder, name);
      if (listing) return listing;
      throw new InputError(`${join(root.path, folder, name)}: no such folder; iHarmony4 has ${name} in every subset`);
    };
    return new Subset(folder, await list(COMPOSITES), await list(MASKS), await list(PHOTOGRAPHS));
  }

  async entries(): Promise<Entry[]> {
    const entries: Entry[] = [];
    for (const name of this.composites.files.filter(isPicture)) entries.push(await this.entry(name));
    return entries;
  }

  /** @param where the list's line that names the composite */
  async entry(name: string, where?: string): Promise<Entry> {
    const path = join(this.composites.folder, name);
    if (!this.composites.has(name)) throw new InputError(`${where ?? path}: ${path} does not exist`);
    const composite = await this.composites.path(name);
    const [, photograph, object] = /^(.+)_([^_]+)_[^_]+\.\w+$/.exec(name) ?? [];
    if (!photograph || !object) {
      throw new InputError(`${composite}: expected a name such as c108140_1698416_1.jpg, of three parts joined by _`);
    }
    const find = async (
      listing: Listing,
      stem: string,
      what: string,
      extensions: readonly string[],
    ): Promise<string> => {
      const found = extensions.map((extension) => `${stem}${extension}`).find((file) => listing.has(file));
      if (found) return listing.path(found);
      throw new InputError(`${composite}: has no ${what}; expected ${join(listing.folder, stem)}${extensions[0]}`);
    };
    return {
      name: join(this.folder, COMPOSITES, name),
      composite,
      mask: await find(this.masks, `${photograph}_${object}`, "mask", [".png", ".jpg"]),
      target: await find(this.photographs, photograph, "real photograph", [".jpg", ".png"]),
    };
  }
}
