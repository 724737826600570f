/** Which variant computes a problem: a pure policy, so that a choice can be explained and tested without a GPU. */
import { AdapterError, UsageError } from "../errors.js";
import type { Capabilities, OpDefinition, Problem, Variant } from "./op.js";

/** Measured choices: problem key (`problemKey`) to variant name. */
export type TuningTable = ReadonlyMap<string, string>;

export interface SelectOptions {
  /** Forces variants by op name, e.g. `{ conv2d: "direct" }`. */
  readonly force?: Readonly<Record<string, string>>;
  readonly tuning?: TuningTable;
}

/**
 * A forced name, else the tuning table, else the first variant that accepts the problem and suits the device.
 * @throws UsageError for a forced variant that is unknown, AdapterError for one that cannot run: nothing falls back silently
 */
export function select<Attrs>(
  op: OpDefinition<Attrs>,
  problem: Problem<Attrs>,
  capabilities: Capabilities,
  forced: string | undefined,
  { tuning }: SelectOptions = {},
): Variant<Attrs> {
  const runs = (variant: Variant<Attrs>): boolean =>
    variant.features.every((feature) => capabilities.features.has(feature)) && variant.accepts(problem, capabilities);
  if (forced !== undefined) {
    const variant = op.variants.find(({ name }) => name === forced);
    if (!variant) {
      throw new UsageError(
        `${op.name}: no variant "${forced}"; there are ${op.variants.map(({ name }) => name).join(", ")}`,
      );
    }
    if (!runs(variant)) {
      const needs = variant.features.length > 0 ? ` (it needs ${variant.features.join(", ")})` : "";
      throw new AdapterError(
        `${op.name}: variant "${forced}" cannot run ${problemKey(problem)} on this device${needs}`,
      );
    }
    return variant;
  }
  const tuned = op.variants.find(({ name }) => name === tuning?.get(problemKey(problem)));
  if (tuned && runs(tuned)) return tuned;
  const chosen =
    op.variants.find((variant) => runs(variant) && (variant.suits?.(problem, capabilities) ?? true)) ??
    op.variants.find(runs);
  if (!chosen) throw new Error(`${op.name}: no variant accepts ${problemKey(problem)}`);
  return chosen;
}

/** `conv2d 1x128x128x128,3x3x128x256 {"padding":1,"stride":1}`: the same work has the same key. */
export function problemKey<Attrs>(problem: Problem<Attrs>): string {
  const shapes = problem.inputs.map((view) => (view ? view.shape.join("x") : "-")).join(",");
  return `${problem.op} ${shapes} ${JSON.stringify(problem.attrs)}`;
}
