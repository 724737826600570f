/** From folders and files to a SynthSpec: what there is, which photographs are for validation, what is left out and why. */
import { basename, extname, join } from "node:path";
import { InputError, UsageError } from "../../errors.js";
import { hasAlphaChannel } from "../../image/sharp.node.js";
import { hashText } from "../../random.js";
import { DataRoot } from "../listing.node.js";
import { type LeftOut, readCocoObjects } from "./coco_annotations.node.js";
import {
  DEFAULT_SHARES,
  MASK_KINDS,
  type MaskKind,
  type SourceKind,
  SPLITS,
  type Split,
  type Style,
  type Subject,
  type SynthSpec,
} from "./spec.js";

export interface SourceOptions {
  /** One of the three. */
  readonly photos?: string | undefined;
  readonly cocoImages?: string | undefined;
  readonly pairs?: string | undefined;
  /** With `cocoImages`. */
  readonly cocoAnnotations?: string | undefined;
  readonly cutouts?: string | undefined;
  /** Default: all that can be. */
  readonly masks?: readonly MaskKind[] | undefined;
  readonly style?: Style | undefined;
  readonly size: number;
  readonly leastShare?: number | undefined;
  readonly mostShare?: number | undefined;
  /** Share of the photographs that are set aside, 0 to 1. Default 0.1. Folders train and val decide by themselves. */
  readonly valShare?: number | undefined;
  /** All photographs are of this part. */
  readonly part?: Split | undefined;
  /** Random crops. Default: of all but COCO's photographs. */
  readonly crop?: boolean | undefined;
}

export interface OpenedSources {
  readonly spec: SynthSpec;
  readonly photographs: number;
  /** Left out before anything is made, by what is the matter. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** The first of them, in words. */
  readonly complaints: readonly string[];
}

const PICTURE = /\.(png|jpe?g|webp|tiff?)$/i;
const FOLDERS_DEEP = 4;

/** @throws InputError where there is nothing to make composites of; UsageError for options that do not fit together */
export async function openSources(options: SourceOptions): Promise<OpenedSources> {
  const kind = kindOf(options);
  const [leastShare, mostShare] = [
    options.leastShare ?? DEFAULT_SHARES[kind][0],
    options.mostShare ?? DEFAULT_SHARES[kind][1],
  ];
  if (!(leastShare > 0 && leastShare < mostShare && mostShare <= 1)) {
    throw new UsageError(
      `masks are to cover from ${leastShare} to ${mostShare} of the picture: expected 0 < least < most <= 1`,
    );
  }
  const leftOut: Record<string, number> = {};
  const complaints: string[] = [];
  const found = await READERS[kind](options, [leastShare, mostShare], leftOut, complaints);
  const cutouts = options.cutouts === undefined ? [] : await readCutouts(options.cutouts, leftOut, complaints);
  const spec: SynthSpec = {
    kind,
    subjects: withSplits(found, options),
    cutouts,
    masks: kind === "coco" ? [] : masksOf(options.masks, cutouts.length > 0),
    style: options.style ?? "mixed",
    size: options.size,
    leastShare,
    mostShare,
    crop: options.crop ?? kind !== "coco",
  };
  const photographs = new Set(found.map(({ photograph }) => photograph)).size;
  return { spec, photographs, leftOut, complaints };
}

function kindOf({ photos, cocoImages, cocoAnnotations, pairs, cutouts, masks }: SourceOptions): SourceKind {
  const given = Object.entries({ photos, coco: cocoImages, pairs }).filter(([, path]) => path !== undefined);
  const [first] = given;
  if (!first || given.length > 1) {
    throw new UsageError(
      "name one source: --photos DIR, --coco-images DIR with --coco-annotations FILE, or --pairs DIR",
    );
  }
  const kind = first[0] as SourceKind;
  if ((kind === "coco") !== (cocoAnnotations !== undefined)) {
    throw new UsageError("--coco-images and --coco-annotations go together");
  }
  if (kind === "coco" && (cutouts !== undefined || masks !== undefined)) {
    throw new UsageError("COCO's masks come from its annotations: leave --cutouts and --masks out");
  }
  return kind;
}

function masksOf(wanted: readonly MaskKind[] | undefined, hasCutouts: boolean): readonly MaskKind[] {
  if (wanted === undefined) return MASK_KINDS.filter((kind) => kind !== "cutouts" || hasCutouts);
  if (wanted.includes("cutouts") && !hasCutouts) {
    throw new UsageError("masks from cut-outs need a folder of them: --cutouts DIR");
  }
  return wanted;
}

type Found = Omit<Subject, "split"> & {
  /** What decides the part: the photograph's path below the source's folder. */
  readonly photograph: string;
};

type Reader = (
  options: SourceOptions,
  shares: readonly [number, number],
  leftOut: Record<string, number>,
  complaints: string[],
) => Promise<readonly Found[]>;

const READERS: Readonly<Record<SourceKind, Reader>> = {
  photos: async ({ photos = "" }) => {
    const names = await picturesBelow(photos);
    if (names.length === 0) throw new InputError(`${photos}: holds no photographs (PNG, JPEG, WebP or TIFF)`);
    return names.map((name) => ({ name, photograph: name, files: [join(photos, name)] }));
  },

  coco: async ({ cocoImages = "", cocoAnnotations = "" }, shares, leftOut, complaints) => {
    const names = new Set(await picturesBelow(cocoImages));
    const { objects, annotations, leftOut: counts } = await readCocoObjects(cocoAnnotations, names, shares);
    for (const [reason, count] of Object.entries(counts))
      if (count > 0) leftOut[COCO_REASONS[reason as keyof LeftOut]] = count;
    if (counts.missingPictures > 0) {
      complaints.push(
        `${cocoImages}: lacks the photographs of ${counts.missingPictures} of ${annotations} annotations`,
      );
    }
    if (objects.length === 0) {
      const reasons = Object.entries(leftOut).map(([reason, count]) => `${count} ${reason}`);
      throw new InputError(
        `${cocoAnnotations}: none of its ${annotations} annotations can be used: ${reasons.join(", ")}`,
      );
    }
    return objects.map(({ file, annotation }) => ({
      name: `${file} ${annotation.id}`,
      photograph: file,
      files: [join(cocoImages, file)],
      annotation,
    }));
  },

  pairs: async ({ pairs = "" }, _, leftOut, complaints) => {
    const renditions = new Map<string, string[]>();
    for (const name of await picturesBelow(pairs)) {
      // The folder is the rendition, the rest is the photograph; extensions may differ.
      const [, ...rest] = name.split("/");
      if (rest.length === 0) continue;
      const photograph = rest.join("/").slice(0, -extname(name).length);
      renditions.set(photograph, [...(renditions.get(photograph) ?? []), join(pairs, name)]);
    }
    const found: Found[] = [];
    for (const [photograph, files] of [...renditions].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (files.length > 1) found.push({ name: photograph, photograph, files });
      else count(leftOut, "photographs of one rendition");
    }
    if (found.length === 0) {
      throw new InputError(
        `${pairs}: no photograph has two renditions; expected a folder a rendition, with files of the same names`,
      );
    }
    const single = leftOut["photographs of one rendition"];
    if (single) complaints.push(`${pairs}: ${single} photographs have one rendition only`);
    return found;
  },
};

const COCO_REASONS: Readonly<Record<keyof LeftOut, string>> = {
  crowds: "crowds",
  tooSmall: "masks too small",
  tooLarge: "masks too large",
  damaged: "damaged annotations",
  missingPictures: "annotations of missing photographs",
};

const count = (counts: Record<string, number>, reason: string): void => {
  counts[reason] = (counts[reason] ?? 0) + 1;
};

async function readCutouts(folder: string, leftOut: Record<string, number>, complaints: string[]): Promise<string[]> {
  const usable: string[] = [];
  for (const name of await picturesBelow(folder)) {
    const path = join(folder, name);
    try {
      if (!(await hasAlphaChannel(path))) throw new InputError(`${path}: has no alpha channel`);
      usable.push(path);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      count(leftOut, "cut-outs without alpha");
      complaints.push(error.message);
    }
  }
  if (usable.length > 0) return usable;
  throw new InputError(`${folder}: holds no cut-outs: expected PNG or WebP pictures with an alpha channel`);
}

/** Paths below the folder with "/" between, sorted. */
async function picturesBelow(folder: string): Promise<string[]> {
  const root = await DataRoot.open(folder);
  const names: string[] = [];
  const visit = async (parts: readonly string[]): Promise<void> => {
    const listing = await root.list(...parts);
    if (!listing) return;
    for (const name of listing.files.filter((file) => PICTURE.test(file))) {
      await listing.path(name);
      names.push([...parts, name].join("/"));
    }
    if (parts.length < FOLDERS_DEEP) for (const name of listing.folders) await visit([...parts, name]);
  };
  await visit([]);
  return names.sort();
}

/** By folders called train and val; else by the photographs' names, as far as there are two. */
function withSplits(found: readonly Found[], { part, valShare = 0.1 }: SourceOptions): Subject[] {
  const folderOf = ({ photograph }: Found): Split | null => {
    const [top = ""] = photograph.split("/");
    return SPLITS.find((split) => top === split && photograph !== split) ?? null;
  };
  const byFolder = found.every((one) => folderOf(one) !== null);
  const places = new Map(
    found.map(({ photograph }) => [photograph, hashText(basename(photograph, extname(photograph))) / 2 ** 32]),
  );
  const least = Math.min(...places.values());
  const isVal = ({ photograph }: Found): boolean => {
    if (valShare === 0 || places.size < 2) return valShare === 1;
    const place = places.get(photograph) as number;
    return place < valShare || place === least;
  };
  return found.map((one) => {
    const { photograph: _, ...subject } = one;
    return { ...subject, split: part ?? (byFolder ? (folderOf(one) as Split) : isVal(one) ? "val" : "train") };
  });
}
