/** What a folder of training pictures is, however it is laid out: triples of composite, mask and real photograph. */
import { hashText } from "../random.js";

/** One example, as absolute paths or such as hold from where the program runs. */
export interface Entry {
  /** The composite's path below the root: what messages and tables call the example. */
  readonly name: string;
  readonly composite: string;
  readonly mask: string;
  /** The photograph the network is to come near to. */
  readonly target: string;
}

export const LAYOUTS = ["s-coco", "iharmony4", "flat"] as const;
export type Layout = (typeof LAYOUTS)[number];

export interface Dataset {
  readonly root: string;
  readonly layout: Layout;
  /** All there are. */
  readonly entries: readonly Entry[];
  /** Empty where the folder names its pictures as ones to validate on. */
  readonly train: readonly Entry[];
  readonly val: readonly Entry[];
  /** The folder's own part; a share split off by name; or, of few pictures, those that are trained on. */
  readonly valFrom: "layout" | "split" | "train";
}

/** What a layout says of its parts; null where it names none of that kind. */
export interface Parts {
  /** For pictures that the layout itself leaves in no part. */
  readonly all: readonly Entry[] | null;
  readonly train: readonly Entry[] | null;
  readonly val: readonly Entry[] | null;
}

/** With fewer pictures than these nothing is split off. */
export const FEWEST_TO_SPLIT = 10;

/**
 * Sets some of the examples aside to validate on, at least one. Which ones hangs on the names of their photographs alone:
 * adding pictures moves none from one side to the other, and composites of one photograph stay together.
 * @param share 0 to 0.5
 */
export function splitByName(entries: readonly Entry[], share: number): Pick<Dataset, "train" | "val" | "valFrom"> {
  if (entries.length < FEWEST_TO_SPLIT || share === 0) return { train: entries, val: entries, valFrom: "train" };
  const place = (entry: Entry): number => hashText(photographOf(entry)) / 2 ** 32;
  const least = entries.reduce((lowest, entry) => Math.min(lowest, place(entry)), 1);
  const isVal = (entry: Entry): boolean => place(entry) < share || place(entry) === least;
  const train = entries.filter((entry) => !isVal(entry));
  if (train.length === 0) return { train: entries, val: entries, valFrom: "train" };
  return { train, val: entries.filter(isVal), valFrom: "split" };
}

const photographOf = ({ target }: Entry): string => target.slice(target.search(/[^/\\]*$/));
