/** What a training tells while it runs: one stream, shown as a bar on a terminal and as JSON lines elsewhere. */
import type { ValidationMetrics } from "./trainer.js";

export type TrainEvent =
  | { readonly event: "note"; readonly message: string }
  | { readonly event: "warning"; readonly message: string }
  | {
      readonly event: "step";
      readonly step: number;
      /** Of the whole run. */
      readonly steps: number;
      readonly epoch: number;
      readonly loss: number;
      readonly lr: number;
      readonly gradientNorm: number;
      readonly imagesPerSecond: number;
      readonly secondsLeft: number;
    }
  | ({
      readonly event: "validation";
      readonly step: number;
      readonly epoch: number;
      /** Of the composites as they are. */
      readonly baselinePsnr: number;
      readonly isBest: boolean;
    } & ValidationMetrics)
  | { readonly event: "saved"; readonly step: number; readonly path: string };

export type TrainListener = (event: TrainEvent) => void;
