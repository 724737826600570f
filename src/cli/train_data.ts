/** The pictures of a training, as its settings name them. */
import type { Entry } from "../data/dataset.js";
import { Loader, type SynthSource } from "../data/loader.node.js";
import { openDataset } from "../data/open_dataset.node.js";
import { openSources } from "../data/synth/open_sources.node.js";
import type { Split } from "../data/synth/spec.js";
import { checkEntries } from "../data/triple.node.js";
import type { TrainConfig } from "../train/config.js";
import type { TrainListener } from "../train/events.js";

const VAL_FROM = {
  layout: "the folder's own part",
  split: "a part set aside",
  train: "the training pictures: there are too few to set any aside",
} as const;

/** @throws InputError naming the first file that is missing or, if `strict`, wrong */
export async function openTrainingData(config: TrainConfig, tell: TrainListener): Promise<Loader> {
  const { val, valCount, size, batch, accumulate, seed, augment, strict, threads } = config;
  const other = val === null ? null : spread((await openDataset(val, { valShare: 0 })).val, valCount);
  const { train, validation, synth } = await (config.synth === null
    ? readPictures(config, other, tell)
    : makePictures(config, config.synth, other, tell));
  if (strict) await checkEntries([...train, ...validation]);
  return new Loader({
    train,
    val: validation,
    synth,
    size,
    batch: batch * accumulate,
    seed,
    augment,
    strict,
    ...(threads !== null && { threads }),
    onSkipped: ({ message, count }) => tell({ event: "warning", message: `left out, ${count} so far: ${message}` }),
  });
}

interface Pictures {
  readonly train: readonly Entry[];
  readonly validation: readonly Entry[];
  readonly synth?: SynthSource | undefined;
}

async function readPictures(
  { data, val, valShare, valCount }: TrainConfig,
  other: readonly Entry[] | null,
  tell: TrainListener,
): Promise<Pictures> {
  if (data === null) throw new Error("neither pictures nor photographs to make them of");
  const dataset = await openDataset(data, { valShare: other ? 0 : valShare });
  const validation = other ?? spread(dataset.val, valCount);
  const { train } = dataset;
  const from = other ? val : VAL_FROM[dataset.valFrom];
  const message = `${data}: ${dataset.layout} layout, ${train.length} pictures to train on, ${validation.length} to validate on (${from})`;
  tell({ event: "note", message });
  return { train, validation };
}

/** Composites of an epoch, and those to validate on, where nothing is said. */
const EPOCH = 1000;
const VALIDATION = 100;

async function makePictures(
  config: TrainConfig,
  folder: string,
  other: readonly Entry[] | null,
  tell: TrainListener,
): Promise<Pictures> {
  const { synthAnnotations, synthCutouts, synthPairs, synthStyle, synthCount, valShare, valCount, size } = config;
  const kind = synthAnnotations !== null ? "cocoImages" : synthPairs ? "pairs" : "photos";
  const { spec, photographs, complaints } = await openSources({
    [kind]: folder,
    ...(synthAnnotations !== null && { cocoAnnotations: synthAnnotations }),
    ...(synthCutouts !== null && { cutouts: synthCutouts }),
    style: synthStyle,
    size,
    valShare: other ? 0 : valShare,
    crop: true,
  });
  for (const message of complaints.slice(0, 5)) tell({ event: "warning", message: `left out: ${message}` });
  const count = (split: Split): number => spec.subjects.filter((one) => one.split === split).length;
  const perEpoch = synthCount ?? (spec.kind === "coco" ? count("train") : EPOCH);
  const validation = other ? 0 : count("val") === 0 ? 0 : (valCount ?? VALIDATION);
  tell({
    event: "note",
    message: `${folder}: ${perEpoch} composites an epoch of ${photographs} photographs (${count("train")} subjects), ${other?.length ?? validation} to validate on (${other ? config.val : `${count("val")} other subjects`})`,
  });
  return { train: [], validation: other ?? [], synth: { spec, perEpoch, validation } };
}

/** So many of them, evenly over the whole. */
function spread(entries: readonly Entry[], count: number | null): readonly Entry[] {
  if (count === null || count >= entries.length) return entries;
  return Array.from({ length: count }, (_, i) => entries[Math.floor((i * entries.length) / count)] as Entry);
}
