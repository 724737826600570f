/** Tells how a folder of training pictures is laid out, and reads it strictly: what is missing is named, never passed over. */
import { InputError, UsageError } from "../errors.js";
import { type Dataset, type Layout, type Parts, splitByName } from "./dataset.js";
import { readFlat } from "./flat.node.js";
import { isIharmony4, readIharmony4 } from "./iharmony4.node.js";
import { DataRoot, type Listing } from "./listing.node.js";
import { isCoco, readCoco } from "./s_coco.node.js";

export interface DatasetOptions {
  /** Share of the pictures to validate on where the folder names none, 0 to 0.5. Default 0.1. */
  readonly valShare?: number;
}

const LAYOUT_HELP = `expected one of
  S-COCO      {train,val}2017/{image,mask,natural}/NAME, the three files of one name
  iHarmony4   H*/{composite_images,masks,real_images}, with the lists IHD_train.txt and IHD_test.txt
  flat        x.jpg, x_mask.png and x_real.jpg side by side`;

interface Reader {
  readonly layout: Layout;
  readonly fits: (root: DataRoot, listing: Listing) => Promise<boolean>;
  readonly read: (root: DataRoot, listing: Listing) => Promise<Parts>;
}

const READERS: readonly Reader[] = [
  { layout: "s-coco", fits: isCoco, read: readCoco },
  { layout: "iharmony4", fits: isIharmony4, read: readIharmony4 },
  { layout: "flat", fits: async () => true, read: readFlat },
];

/**
 * @throws InputError naming the first file that is missing, superfluous or leads out of the folder; or what layouts there
 * are, where the folder has none of them
 */
export async function openDataset(path: string, { valShare = 0.1 }: DatasetOptions = {}): Promise<Dataset> {
  if (!(valShare >= 0 && valShare <= 0.5))
    throw new UsageError(`the share of pictures to validate on is a number from 0 to 0.5, got ${valShare}`);
  const root = await DataRoot.open(path);
  const listing = await root.list();
  if (!listing) throw new InputError(`${path}: is no longer there`);
  for (const { layout, fits, read } of READERS) {
    if (!(await fits(root, listing))) continue;
    const parts = await read(root, listing);
    const { all, train, val } = parts;
    const entries = [...(all ?? []), ...(train ?? []), ...(val ?? [])];
    if (entries.length === 0) throw new InputError(`${path}: holds no pictures to train on; ${LAYOUT_HELP}`);
    const split = val?.length
      ? { train: [...(all ?? []), ...(train ?? [])], val, valFrom: "layout" as const }
      : splitByName(entries, valShare);
    return { root: path, layout, entries, ...split };
  }
  throw new Error("unreachable: every folder fits the flat layout");
}
