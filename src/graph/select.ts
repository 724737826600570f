/** Which variant computes a problem: a pure policy, so that a choice can be explained and tested without a GPU. */
import { AdapterError, UsageError } from "../errors.js";
import type { TuningTable } from "../tuning/table.js";
import type { Capabilities, OpDefinition, Problem, TensorView, Variant } from "./op.js";

export interface SelectOptions {
  /** Forces variants by op name, e.g. `{ conv2d: "direct" }`. */
  readonly force?: Readonly<Record<string, string>>;
  /** Measured choices, the tables that win first. */
  readonly tuning?: readonly TuningTable[];
}

/**
 * A forced name, else the first tuning table whose choice can run, else the first variant that accepts the problem and
 * suits the device.
 * @throws UsageError for a forced variant that is unknown, AdapterError for one that cannot run: nothing falls back silently
 */
export function select<Attrs>(
  op: OpDefinition<Attrs>,
  problem: Problem<Attrs>,
  capabilities: Capabilities,
  forced: string | undefined,
  { tuning = [] }: SelectOptions = {},
): Variant<Attrs> {
  const runs = (variant: Variant<Attrs>): boolean => canRun(variant, problem, capabilities);
  if (forced !== undefined) {
    const variant = op.variants.find(({ name }) => name === forced);
    if (!variant) {
      throw new UsageError(
        `${op.name}: no variant "${forced}"; there are ${op.variants.map(({ name }) => name).join(", ")}`,
      );
    }
    if (!runs(variant)) {
      const needs = needsOf(variant, problem);
      throw new AdapterError(
        `${op.name}: variant "${forced}" cannot run ${problemKey(problem)} on this device${needs}`,
      );
    }
    return variant;
  }
  const key = tuning.length > 0 ? problemKey(problem) : "";
  for (const table of tuning) {
    const wanted = table.get(key);
    const tuned = wanted === undefined ? undefined : op.variants.find(({ name }) => name === wanted);
    if (tuned && runs(tuned)) return tuned;
  }
  const chosen =
    op.variants.find((variant) => runs(variant) && (variant.suits?.(problem, capabilities) ?? true)) ??
    op.variants.find(runs);
  if (!chosen) throw new Error(`${op.name}: no variant accepts ${problemKey(problem)}`);
  return chosen;
}

/** Whether a variant computes a problem on a device: its features are there, it takes the dtypes and accepts the rest. */
export function canRun<Attrs>(variant: Variant<Attrs>, problem: Problem<Attrs>, capabilities: Capabilities): boolean {
  return (
    variant.features.every((feature) => capabilities.features.has(feature)) &&
    (!usesF16(problem) || (variant.f16 === true && capabilities.features.has("shader-f16"))) &&
    variant.accepts(problem, capabilities)
  );
}

const usesF16 = ({ inputs, outputs }: Problem<unknown>): boolean =>
  [...inputs, ...outputs].some((view) => view?.dtype === "f16");

function needsOf<Attrs>(variant: Variant<Attrs>, problem: Problem<Attrs>): string {
  if (usesF16(problem) && !variant.f16) return " (it takes f32 alone)";
  const features = [...variant.features, ...(usesF16(problem) ? ["shader-f16"] : [])];
  return features.length > 0 ? ` (it needs ${features.join(", ")})` : "";
}

/**
 * `conv2d 1x128x128x128,const 3x3x128x256,- {"padding":1,"stride":1}`: the same work has the same key. What repacking
 * costs hangs on which operands are constants. Of views that are part of a wider storage it tells pitch and offset,
 * `1x64x64x128/256+128`, since they decide what a variant accepts; of outputs it tells only these.
 */
export function problemKey<Attrs>({ op, inputs, outputs, attrs }: Problem<Attrs>): string {
  const special = outputs.some((view) => !isPlain(view)) ? ` -> ${outputs.map(showView).join(",")}` : "";
  return `${op} ${inputs.map(showView).join(",")}${special} ${JSON.stringify(attrs)}`;
}

const isDense = ({ shape, pitch, offset }: TensorView): boolean => offset === 0 && pitch === (shape.at(-1) ?? 1);
const isPlain = (view: TensorView): boolean => isDense(view) && view.dtype === "f32";

function showView(view: TensorView | null): string {
  if (!view) return "-";
  const place = isDense(view) ? "" : `/${view.pitch}+${view.offset}`;
  return `${view.constant ? "const " : ""}${view.shape.join("x")}${place}${view.dtype === "f32" ? "" : `:${view.dtype}`}`;
}
