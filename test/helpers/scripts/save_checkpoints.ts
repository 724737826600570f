/** Saves one checkpoint after the other into a folder, from where it left off, until it is killed in the midst of it. */
import { CheckpointFolder } from "../../../src/train/checkpoint.node.js";
import { checkpointOf } from "../checkpoints.js";

const store = new CheckpointFolder(process.argv[2] ?? "");
const found = await store.load((line) => {
  throw new Error(line);
});
const { state, tensors } = checkpointOf(0, 1 << 18);
process.stdout.write("ready\n");
for (let step = (found?.state.progress.step ?? 0) + 1; ; step++) {
  await store.save({ tensors, state: { ...state, progress: { ...state.progress, step } } });
  process.stdout.write(`saved ${step}\n`);
}
