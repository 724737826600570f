/** A training on stderr: a bar with what matters now on a terminal, a line of JSON an event elsewhere. */
import { Presets, SingleBar } from "cli-progress";
import type { TrainEvent, TrainListener } from "../train/events.js";

export interface TrainProgress {
  readonly tell: TrainListener;
  readonly stop: () => void;
}

export const trainProgress = (stream: NodeJS.WriteStream = process.stderr): TrainProgress =>
  stream.isTTY
    ? terminalProgress(stream)
    : { tell: (event) => void stream.write(`${JSON.stringify(event)}\n`), stop: () => {} };

function terminalProgress(stream: NodeJS.WriteStream): TrainProgress {
  const format = "step {value}/{total} {bar} epoch {epoch}  loss {loss}  {rate} images/s  {left} left";
  const bar = new SingleBar({ format, hideCursor: true, stream, barsize: 24 }, Presets.shades_classic);
  let running = false;
  const line = (text: string): void => {
    if (running) stream.write("\r\x1b[K");
    stream.write(`${text}\n`);
    if (running) bar.render();
  };
  const tell = (event: TrainEvent): void => {
    switch (event.event) {
      case "note":
        line(event.message);
        break;
      case "warning":
        line(`warning: ${event.message}`);
        break;
      case "saved":
        break;
      case "validation":
        line(validationLine(event));
        break;
      case "step": {
        const { step, steps, epoch, loss, imagesPerSecond, secondsLeft } = event;
        const shown = {
          epoch,
          loss: loss.toExponential(3),
          rate: imagesPerSecond.toFixed(1),
          left: duration(secondsLeft),
        };
        if (!running) bar.start(steps, step, shown);
        running = true;
        bar.update(step, shown);
      }
    }
  };
  return {
    tell,
    stop: () => {
      if (running) bar.stop();
      running = false;
    },
  };
}

function validationLine({
  step,
  psnr,
  ssim,
  mse,
  fmse,
  baselinePsnr,
  isBest,
}: TrainEvent & { event: "validation" }): string {
  const of = `PSNR ${psnr.toFixed(2)} dB (composites ${baselinePsnr.toFixed(2)})`;
  return `step ${step}: ${of}, SSIM ${ssim.toFixed(4)}, MSE ${mse.toFixed(1)}, fMSE ${fmse.toFixed(1)}${isBest ? ", best so far" : ""}`;
}

function duration(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, Math.floor(seconds % 60)];
  const two = (value: number): string => String(value).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
