/** The files of a bench: results as JSON and as a page, profiled runs as a trace. */
import { htmlOf } from "../../../bench/html/page.js";
import type { Results } from "../../../bench/results.js";
import { traceOf } from "../../../bench/trace.js";
import type { PassTiming } from "../../graph/plan.js";
import { writeFileAtomic } from "../../io/file_write.node.js";
import type { BenchOptions } from "../bench.js";

export interface Profiles {
  readonly forward: readonly PassTiming[];
  readonly trainingStep: readonly PassTiming[];
}

export async function writeOutputs(
  results: Results,
  { forward, trainingStep }: Profiles,
  { output, html, trace }: BenchOptions,
): Promise<void> {
  const write = (file: string, text: string): Promise<void> => writeFileAtomic(file, new TextEncoder().encode(text));
  if (output) await write(output, `${JSON.stringify(results, null, 2)}\n`);
  if (html) await write(html, htmlOf(results));
  if (!trace) return;
  const tracks = [
    { name: nameOf("forward", results.model), passes: forward },
    { name: nameOf("training step", results.training), passes: trainingStep },
  ].filter(({ passes }) => passes.length > 0);
  const { adapter, command, date } = results;
  const facts = { adapter: adapter.name, command, date };
  await write(trace, `${JSON.stringify(traceOf(tracks, results.roofline ?? null, facts))}\n`);
}

const nameOf = (what: string, row: Results["model"] | Results["training"]): string =>
  row ? `${what}: ${row.name}, width ${row.width}, ${row.size} x ${row.size}, batch ${row.batch}` : what;
