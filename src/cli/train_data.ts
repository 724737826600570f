/** The pictures of a training, as its settings name them. */
import type { Entry } from "../data/dataset.js";
import { Loader } from "../data/loader.node.js";
import { openDataset } from "../data/open_dataset.node.js";
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
  const { data, val, valShare, valCount, size, batch, accumulate, seed, augment, strict, threads } = config;
  const dataset = await openDataset(data, { valShare: val === null ? valShare : 0 });
  const other = val === null ? null : await openDataset(val, { valShare: 0 });
  const validation = spread(other?.val ?? dataset.val, valCount);
  const { train } = dataset;
  if (strict) await checkEntries([...train, ...validation]);
  const from = other ? val : VAL_FROM[dataset.valFrom];
  const message = `${data}: ${dataset.layout} layout, ${train.length} pictures to train on, ${validation.length} to validate on (${from})`;
  tell({ event: "note", message });
  return new Loader({
    train,
    val: validation,
    size,
    batch: batch * accumulate,
    seed,
    augment,
    strict,
    ...(threads !== null && { threads }),
    onSkipped: ({ message, count }) => tell({ event: "warning", message: `left out, ${count} so far: ${message}` }),
  });
}

/** So many of them, evenly over the whole. */
function spread(entries: readonly Entry[], count: number | null): readonly Entry[] {
  if (count === null || count >= entries.length) return entries;
  return Array.from({ length: count }, (_, i) => entries[Math.floor((i * entries.length) / count)] as Entry);
}
