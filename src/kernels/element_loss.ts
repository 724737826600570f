/**
 * Losses that are a mean over all elements of a function of two numbers: they differ in that function alone (codes match
 * lib/element_loss.wgsl). Sums are added in a fixed order.
 */
import {
  apply,
  defineOp,
  NONE,
  type OpDefinition,
  operand,
  type Problem,
  pass,
  result,
  scratch,
  shapeOf,
} from "../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../graph/tensor.js";
import { element_loss, element_loss_backward, element_loss_join } from "../shaders.generated.js";
import { expectShape, f32, present } from "./expect.js";
import { partsOf } from "./reduction.js";
import { threads } from "./views.js";

const CODES = { squared: 0, absolute: 1, cross_entropy: 2 } as const;

export interface ElementLoss<Attrs> {
  /** Inputs y and, without `label`, target. */
  readonly op: OpDefinition<Attrs>;
  /** Inputs y, target or null, and the loss's gradient [1]. */
  readonly backwardOp: OpDefinition<Attrs>;
}

interface ElementLossOptions<Attrs> {
  readonly kind: keyof typeof CODES;
  /** Stands for the target of losses that have none. */
  readonly label?: (attrs: Attrs) => number;
  /** Whether y and target may change places: then the loss has a gradient by the target too. */
  readonly symmetric: boolean;
}

/** A loss named `name` and its gradient `name_backward`. */
export function elementLoss<Attrs>(
  name: string,
  { kind, label, symmetric }: ElementLossOptions<Attrs>,
): ElementLoss<Attrs> {
  const checkOperands = (op: string, [y, target]: Parameters<OpDefinition<Attrs>["infer"]>[0]) => {
    const shape = present(op, "y", y);
    if (!label) expectShape(op, "target", target, shape, `y ${showShape(shape)}`);
    return shape;
  };
  const overrides = { LOSS: CODES[kind], HAS_TARGET: label ? 0 : 1 };
  const operandsOf = (p: Problem<Attrs>) => {
    const [y, target] = [operand(p, 0), p.inputs[1] ?? null];
    const params = {
      size: sizeOf(y.shape),
      c: y.shape.at(-1) ?? 1,
      y_pitch: y.pitch,
      y_offset: y.offset,
      target_pitch: target?.pitch ?? 0,
      target_offset: target?.offset ?? 0,
      label: label?.(p.attrs) ?? 0,
    };
    return { y, wanted: target ?? NONE, params };
  };

  const backwardOp = defineOp<Attrs>({
    name: `${name}_backward`,
    infer(inputs) {
      const shape = checkOperands(`${name}_backward`, inputs);
      expectShape(`${name}_backward`, "the loss's gradient", inputs[2], [1], "a loss of one value");
      return f32(shape);
    },
    flops: ([y]) => 3 * sizeOf(shapeOf(y)),
    variants: [
      {
        name: "direct",
        features: [],
        accepts: () => true,
        plan(p) {
          const { y, wanted, params } = operandsOf(p);
          const [dloss, dy] = [operand(p, 2), result(p)];
          const places = { dloss_offset: dloss.offset, dy_pitch: dy.pitch, dy_offset: dy.offset };
          const bind = { y, wanted, dloss, dy };
          return {
            passes: [
              pass(element_loss_backward, {
                bind,
                overrides,
                params: { ...params, ...places },
                workgroups: threads(params.size),
              }),
            ],
          };
        },
      },
    ],
  });

  const op = defineOp<Attrs>({
    name,
    infer(inputs) {
      checkOperands(name, inputs);
      return f32([1]);
    },
    flops: ([y]) => 3 * sizeOf(shapeOf(y)),
    vjp({ inputs: [y = null, target = null], attrs, needs }, [dloss = null]) {
      if (!dloss) return [];
      const by = (of: Tensor | null, other: Tensor | null): Tensor => apply(backwardOp, [of, other, dloss], attrs);
      if (needs[1] && !symmetric) throw new Error(`${name} has no gradient by the target`);
      return [needs[0] ? by(y, target) : null, needs[1] ? by(target, y) : null];
    },
    variants: [
      {
        name: "direct",
        features: [],
        accepts: () => true,
        plan(p) {
          const { y, wanted, params } = operandsOf(p);
          const loss = result(p);
          const parts = partsOf(params.size);
          const partial = scratch("sums of parts", 2 * parts);
          const sum = pass(element_loss, {
            bind: { y, wanted, partial },
            overrides,
            params: { ...params, parts },
            workgroups: threads(parts),
          });
          const join = pass(element_loss_join, {
            bind: { partial, loss },
            params: { parts, size: params.size, loss_offset: loss.offset },
            workgroups: [1, 1, 1],
          });
          return { passes: [sum, join] };
        },
      },
    ],
  });
  return { op, backwardOp };
}
