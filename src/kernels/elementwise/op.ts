/** Sum and product of two tensors of one shape. */
import {
  type ApplyOptions,
  apply,
  defineOp,
  type OpDefinition,
  operand,
  pass,
  result,
  shapeOf,
} from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { elementwise } from "../../shaders.generated.js";
import { expectShape, f32, present } from "../expect.js";
import { laneVariants, threads, viewOverrides } from "../views.js";

/** @param OPERATION its number in the shader */
const binary = (name: "add" | "mul", OPERATION: number): OpDefinition<object> =>
  defineOp<object>({
    name,
    infer([a, b]) {
      const shape = present(name, "a", a);
      expectShape(name, "b", b, shape, `a ${showShape(shape)}`);
      return f32(shape);
    },
    flops: (_, [y]) => sizeOf(shapeOf(y)),
    vjp: ({ inputs: [a, b], needs }, [dy]) => {
      if (!a || !b || !dy) return [];
      if (name === "add") return [dy, dy];
      return [needs[0] ? mul(dy, b) : null, needs[1] ? mul(dy, a) : null];
    },
    variants: laneVariants(
      (p) => [operand(p, 0), operand(p, 1), result(p)],
      (p, lanes) => {
        const [a, b, y] = [operand(p, 0), operand(p, 1), result(p)];
        const SIZE = sizeOf(y.shape);
        const overrides = {
          OPERATION,
          C: y.shape.at(-1) ?? 1,
          SIZE,
          ...viewOverrides("A", a),
          ...viewOverrides("B", b),
          ...viewOverrides("Y", y),
        };
        const { consts, types } = lanes;
        const workgroups = threads(SIZE / lanes.count);
        return { passes: [pass(elementwise, { bind: { a, b, y }, overrides, consts, types, workgroups })] };
      },
    ),
  });

export const addOp = binary("add", 0);
export const mulOp = binary("mul", 1);

/** a + b, of any shape, both the same. */
export const add = (a: Tensor, b: Tensor, options?: ApplyOptions): Tensor => apply(addOp, [a, b], {}, options);

/** a * b, of any shape, both the same. */
export const mul = (a: Tensor, b: Tensor, options?: ApplyOptions): Tensor => apply(mulOp, [a, b], {}, options);
