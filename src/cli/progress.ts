/** Progress of long work on a terminal's stderr; elsewhere silent, so that logs stay short. */
import { Presets, SingleBar } from "cli-progress";

const LABEL = {
  pipelines: "compiling kernels",
  weights: "preparing weights",
  headers: "looking at pictures",
  pictures: "harmonizing",
  objects: "harmonizing objects",
  tuning: "timing kernels",
  composites: "making composites",
} as const;

export interface StageProgress {
  readonly stage: keyof typeof LABEL;
  readonly done: number;
  readonly total: number;
}

/** A callback for `onProgress`, and `stop()`, which clears the line. Between stages there is no line. */
export function progressBar(quiet = false): { onProgress: (progress: StageProgress) => void; stop: () => void } {
  if (quiet || !process.stderr.isTTY) return { onProgress: () => {}, stop: () => {} };
  const format = "{stage} {bar} {value}/{total}";
  const options = { format, clearOnComplete: true, hideCursor: true, gracefulExit: false, stream: process.stderr };
  const bar = new SingleBar(options, Presets.shades_classic);
  const stop = (): void => {
    process.off("exit", stop);
    if (bar.isActive) bar.stop();
  };
  return {
    onProgress({ stage, done, total }) {
      if (done === total) return stop();
      if (!bar.isActive) {
        process.on("exit", stop); // the cursor comes back, however the process ends
        bar.start(total, done, { stage: LABEL[stage] });
      } else {
        bar.setTotal(total);
        bar.update(done, { stage: LABEL[stage] });
      }
    },
    stop,
  };
}
