/** Which variant computes a problem. */
import { expect, test } from "vitest";
import { AdapterError, UsageError } from "../src/errors.js";
import { type Capabilities, defineOp, type Problem, type Variant } from "../src/graph/op.js";
import { problemKey, select } from "../src/graph/select.js";

const variant = (name: string, options: Partial<Variant<object>> = {}): Variant<object> => ({
  name,
  features: [],
  accepts: () => true,
  plan: () => ({ passes: [] }),
  ...options,
});

const op = defineOp<object>({
  name: "toy",
  infer: () => [],
  flops: () => 0,
  variants: [
    variant("matrix", { features: ["subgroups"] }),
    variant("vec4", { accepts: (p) => (p.inputs[0]?.shape.at(-1) ?? 0) % 4 === 0 }),
    variant("workgroup", { suits: (_, { software }) => !software }),
    variant("direct"),
  ],
});

const problem = (channels: number): Problem<object> => ({
  op: "toy",
  attrs: { stride: 2 },
  inputs: [{ shape: [1, 3, 3, channels], dtype: "f32", pitch: channels, offset: 0, storage: 0, base: null }, null],
  outputs: [],
});
const on = (options: { software?: boolean; subgroups?: boolean } = {}): Capabilities => ({
  features: new Set(options.subgroups ? ["subgroups"] : []),
  limits: {} as GPUSupportedLimits,
  subgroupSize: 0,
  software: options.software ?? false,
});

test("the first that has its features, accepts and suits", () => {
  expect(select(op, problem(4), on({ subgroups: true }), undefined).name).toBe("matrix");
  expect(select(op, problem(4), on(), undefined).name).toBe("vec4");
  expect(select(op, problem(3), on(), undefined).name).toBe("workgroup");
  expect(select(op, problem(3), on({ software: true }), undefined).name).toBe("direct");
});

test("one that accepts and does not suit still runs where nothing else does", () => {
  const only = { ...op, variants: [variant("workgroup", { suits: () => false })] };
  expect(select(only, problem(3), on(), undefined).name).toBe("workgroup");
});

test("a tuning table wins over the order, but not over what can run", () => {
  const key = problemKey(problem(3));
  expect(key).toBe('toy 1x3x3x3,- {"stride":2}');
  expect(select(op, problem(3), on(), undefined, { tuning: [new Map([[key, "direct"]])] }).name).toBe("direct");
  for (const useless of ["matrix", "vec4", "gone"]) {
    expect(select(op, problem(3), on(), undefined, { tuning: [new Map([[key, useless]])] }).name).toBe("workgroup");
  }
});

test("a forced variant is used or refused, never replaced", () => {
  const tuning = [new Map([[problemKey(problem(4)), "vec4"]])];
  expect(select(op, problem(4), on({ software: true }), "workgroup", { tuning }).name).toBe("workgroup");
  expect(() => select(op, problem(4), on(), "winograd")).toThrow(UsageError);
  expect(() => select(op, problem(4), on(), "winograd")).toThrow(/matrix, vec4, workgroup, direct/);
  expect(() => select(op, problem(3), on(), "vec4")).toThrow(AdapterError);
  expect(() => select(op, problem(4), on(), "matrix")).toThrow(/subgroups/);
});
