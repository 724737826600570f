/** Progress of long work on a terminal's stderr; elsewhere silent, so that logs stay short. */
import { Presets, SingleBar } from "cli-progress";
import type { CompileProgress } from "../graph/compile.js";

const LABEL: Readonly<Record<CompileProgress["stage"], string>> = {
  pipelines: "compiling kernels",
  weights: "preparing weights",
};

/** A callback for `onProgress`, and `stop()`, which clears the line. */
export function progressBar(quiet = false): { onProgress: (progress: CompileProgress) => void; stop: () => void } {
  if (quiet || !process.stderr.isTTY) return { onProgress: () => {}, stop: () => {} };
  const bar = new SingleBar(
    { format: "{stage} {bar} {value}/{total}", clearOnComplete: true, hideCursor: true, stream: process.stderr },
    Presets.shades_classic,
  );
  let stage = "";
  return {
    onProgress(progress) {
      if (stage !== progress.stage) bar.start(progress.total, progress.done, { stage: LABEL[progress.stage] });
      stage = progress.stage;
      bar.update(progress.done);
    },
    stop: () => bar.stop(),
  };
}
