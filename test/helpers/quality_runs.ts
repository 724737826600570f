/** Runs of a comparison as they would be kept, for what reports on them. */
import type { RunRecord } from "../../bench/quality/record.js";
import { type Budget, DEFAULT_BUDGET } from "../../bench/quality/settings.js";
import { parseAblations, parseArchs, type Variant, wholeNetwork } from "../../bench/quality/variants.js";

export const BUDGET: Budget = { ...DEFAULT_BUDGET, evalSize: 128, steps: 100 };
export const [UNET, S2ASC, S2AD] = parseArchs("s2ad,unet,s2asc").map(wholeNetwork) as [Variant, Variant, Variant];
export const [GATES] = parseAblations("gates", "s2ad") as [Variant];

const metrics = (psnr: number) => ({ psnr, mse: 10, fmse: 20, fpsnr: 30, ssim: 0.9, wrappedMse: 8 });
export const measures = (psnr: number) => ({ pictures: 50, before: metrics(25), after: metrics(psnr), byShare: [] });

export function record(variant: Variant, seed: number, psnr: number, more: Partial<RunRecord> = {}): RunRecord {
  const ms = 100 * (1 + ["unet", "s2asc", "s2ad"].indexOf(variant.arch));
  return {
    variant,
    seed,
    budget: BUDGET,
    parameters: 1_234_567,
    build: "0123456789abcdef",
    adapter: "some <adapter>",
    date: "2026-01-01T00:00:00.000Z",
    batch: BUDGET.batch,
    step: { median: ms, min: ms, p95: ms, spread: 0, count: 100 },
    whole: measures(psnr),
    pasted: measures(psnr + 0.25),
    curves: {
      loss: [20, 50, 100].map((step) => ({ step, loss: 0.1 / step })),
      validation: [25, 50, 75, 100].map((step) => ({ step, psnr: psnr - 10 / step })),
    },
    ...more,
  };
}
