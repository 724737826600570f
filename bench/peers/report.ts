/** The table that people read. */
import type { EngineRow, JobResult, SkippedRow } from "./measure.js";

export function showJob({ job, adapter, gflop, rows }: JobResult): string[] {
  const head = `${"engine".padEnd(20)} ${"version".padEnd(9)} ${"ms".padStart(9)} ${"p25 to p75".padStart(19)} ${"GFLOP/s".padStart(8)} ${"ratio".padStart(7)} ${"p25 to p75".padStart(15)} ${"error".padStart(8)}`;
  return [
    `\n${job} (${gflop} GFLOP; ${adapter})`,
    head,
    ...rows.map((row) => ("skipped" in row ? skipped(row) : timed(row))),
  ];
}

function timed({ engine, version, ms, gflops, ratio, relativeError, lossRelativeError }: EngineRow): string {
  const spread = ({ p25, p75 }: EngineRow["ms"], digits: number): string =>
    `${p25.toFixed(digits)} to ${p75.toFixed(digits)}`;
  const error = relativeError === null ? "" : Math.max(relativeError, lossRelativeError ?? 0).toExponential(1);
  return [
    engine.padEnd(20),
    version.padEnd(9),
    ms.median.toFixed(1).padStart(9),
    spread(ms, 1).padStart(19),
    gflops.toFixed(1).padStart(8),
    `${ratio.median.toFixed(2)}x`.padStart(7),
    spread(ratio, 2).padStart(15),
    error.padStart(8),
  ].join(" ");
}

const skipped = ({ engine, version, skipped: reason }: SkippedRow): string =>
  `${engine.padEnd(20)} ${(version ?? "").padEnd(9)} not timed: ${reason}`;
