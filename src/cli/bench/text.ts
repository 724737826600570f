/** A bench's results as lines for people. */
import type { KernelShare } from "../../../bench/breakdown.js";
import { showComparison } from "../../../bench/compare.js";
import { LEGEND } from "../../../bench/floors.js";
import { MASK_SHARE, type ModelRow, PAPER_MS } from "../../../bench/model.js";
import type { PlannedTraining, Results } from "../../../bench/results.js";
import type { TrainingRow } from "../../../bench/training.js";
import { mebibytes } from "../../gpu/memory.js";
import { showDtypeError } from "../../model/dtype_error.js";

export function report(results: Results): string[] {
  const { kernels, model, training, plannedTraining, passes, trainingPasses, roofline, compare } = results;
  return [
    ...(model ? [...reportModel(model), ...reportShares(passes ?? [])] : []),
    ...(training ? [...reportTraining(training), ...reportShares(trainingPasses ?? [])] : []),
    ...(plannedTraining ? reportPlanned(plannedTraining) : []),
    ...(roofline && (kernels || model || training) ? LEGEND : []),
    ...(compare ? showComparison(compare) : []),
  ];
}

const FEW = 12;

function reportShares(shares: readonly KernelShare[]): string[] {
  return shares.slice(0, FEW).map(({ kernel, count, ms, floorMs, percentOfFloor, gflops, gbps, limit }) => {
    const floor = floorMs === null ? "" : ` floor ${floorMs.toFixed(3).padStart(9)} ${percent(percentOfFloor)}`;
    return `  ${kernel.padEnd(34)} x${String(count).padEnd(4)} ${ms.toFixed(3).padStart(10)} ms${floor} ${gflops.toFixed(1).padStart(9)} GFLOP/s ${gbps.toFixed(2).padStart(8)} GB/s ${limit ?? ""}`.trimEnd();
  });
}

const percent = (value: number | null): string => `${(value ?? 0).toFixed(1).padStart(6)} %`;

function reportFloor({ floorMs, percentOfFloor, movedBytes, bytes }: ModelRow | TrainingRow): string[] {
  const moved = `  moves ${mebibytes(movedBytes)}, of which operands once ${mebibytes(bytes)}`;
  if (floorMs === null || percentOfFloor === null) return [moved];
  return [`${moved}; sum of floors ${floorMs.toFixed(2)} ms, ${percentOfFloor.toFixed(1)} % of the floor`];
}

function reportModel(row: ModelRow): string[] {
  const gpu = row.gpuMsMedian === null ? "no timestamps" : `${row.gpuMsMedian.toFixed(2)} ms on the GPU`;
  return [
    `${row.name}, width ${row.width}, ${row.levels} levels, ${row.size} x ${row.size}, batch ${row.batch}, ${row.dtype}: ${row.gflop.toFixed(2)} GFLOP, ${row.dispatches} dispatches`,
    `  median ${row.msMedian.toFixed(2)} ms (min ${row.msMin.toFixed(2)}, p95 ${row.msP95.toFixed(2)}, ${row.runs} runs), ${gpu}`,
    ...(row.maskedMsMedian === null
      ? []
      : [
          `  with a mask over ${100 * MASK_SHARE} % of the picture, not all of it: ${row.maskedMsMedian.toFixed(2)} ms`,
        ]),
    `  ${row.ratioToPaper.toFixed(2)} x the paper's ${PAPER_MS} ms an image; ${(row.gflop / row.msMedian).toFixed(3)} TFLOP/s`,
    ...reportFloor(row),
    `  compile ${row.compileMs.toFixed(0)} ms, first run ${row.firstRunMs.toFixed(0)} ms`,
    `  activations and scratch ${mebibytes(row.activationBytes)} (most scratch at once ${mebibytes(row.scratchBytes)}), weights ${mebibytes(row.weightBytes)}, peak of all buffers ${mebibytes(row.peakBytes)}`,
    `  checked on a small network: relative error ${row.checkedError.toExponential(1)}`,
    ...(row.f16Error ? [`  ${showDtypeError(row.f16Error)}`] : []),
  ];
}

function reportTraining(row: TrainingRow): string[] {
  const gpu = row.gpuMs === null ? "" : `, ${row.gpuMs.toFixed(2)} ms in its passes`;
  return [
    `training step, batch ${row.batch}${row.recompute ? ", recomputing" : ""}: median ${row.msMedian.toFixed(2)} ms (min ${row.msMin.toFixed(2)}, p95 ${row.msP95.toFixed(2)}, ${row.steps} steps)${gpu}, ${row.imagesPerSecond.toFixed(2)} images/s`,
    `  ${row.gflop.toFixed(2)} GFLOP, ${row.dispatches} dispatches; activations, gradients and scratch ${mebibytes(row.activationBytes)}, parameters ${mebibytes(row.parameterBytes)}, optimizer ${mebibytes(row.optimizerBytes)}, peak of all buffers ${mebibytes(row.peakBytes)}`,
    ...reportFloor(row),
    `  loss on one batch ${row.losses[0].toFixed(4)} to ${row.losses[1].toFixed(4)}`,
  ];
}

function reportPlanned({ batch, keeping, recomputing }: PlannedTraining): string[] {
  const whole = keeping.parameterBytes + keeping.optimizerBytes;
  return [
    `planned training step, batch ${batch}: activations, gradients and scratch ${mebibytes(keeping.activationBytes)}, recomputing ${mebibytes(recomputing.activationBytes)}; parameters and optimizer ${mebibytes(whole)}`,
  ];
}
