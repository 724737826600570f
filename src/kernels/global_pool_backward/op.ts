/** Gradient of global pooling; the maximum's goes to its first pixel alone, as PyTorch's adaptive max pool has it. */
import { ShapeError } from "../../errors.js";
import { apply, defineOp, NONE, operand, pass, result, shapeOf } from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { global_pool_backward } from "../../shaders.generated.js";
import type { AddendOptions } from "../channel_gate_backward/op.js";
import { expectIntegers, expectShape, f32, present } from "../expect.js";
import { slicesToWalk, sliceThreads } from "../pixel_slices.js";
import { laneVariants, viewParams } from "../views.js";

export interface GlobalPoolBackwardAttrs {
  /** Of what was pooled. */
  readonly height: number;
  readonly width: number;
}

export const globalPoolBackwardOp = defineOp<GlobalPoolBackwardAttrs>({
  name: "global_pool_backward",
  infer([dy, first, addend], { height, width }) {
    const shape = present("global_pool_backward", "first", first);
    const [n, c] = shape;
    expectIntegers("global_pool_backward", { height, width }, 1);
    if (shape.length !== 2 || n === undefined || c === undefined) {
      throw new ShapeError(`global_pool_backward: first must be [N,C], got ${showShape(shape)}`);
    }
    expectShape("global_pool_backward", "dy", dy, [n, 2 * c], `first ${showShape(shape)}`);
    const pooled = [n, height, width, c];
    if (addend) expectShape("global_pool_backward", "addend", addend, pooled, `dx ${showShape(pooled)}`);
    return f32(pooled);
  },
  flops: (_, [dx]) => sizeOf(shapeOf(dx)),
  variants: laneVariants(
    (p) => [
      operand(p, 1),
      result(p),
      { ...operand(p, 0), shape: operand(p, 1).shape },
      ...(p.inputs[2] ? [p.inputs[2]] : []),
    ],
    (p, lanes, capabilities) => {
      const [dy, first, dx] = [operand(p, 0), operand(p, 1), result(p)];
      const [sets = 1, h = 1, w = 1, c = 1] = dx.shape;
      const slices = slicesToWalk({ sets, setPixels: h * w }, capabilities);
      const backward = pass(global_pool_backward, {
        bind: { dy, first, dx, addend: p.inputs[2] ?? NONE },
        params: {
          ...slices,
          c,
          ...viewParams("dy", dy),
          ...viewParams("first", first),
          ...viewParams("dx", dx),
          adds: p.inputs[2] ? 1 : 0,
          ...viewParams("addend", p.inputs[2] ?? null),
        },
        consts: lanes.consts,
        types: lanes.types,
        workgroups: sliceThreads(slices, c, lanes),
      });
      return { passes: [backward] };
    },
  ),
});

/**
 * @param dy [N, 2 C]: gradients of the averages, then of the maxima
 * @param first [N, C]: the pixel of each maximum, counted in rows
 * @returns [N, height, width, C]
 */
export const globalPoolBackward = (
  dy: Tensor,
  first: Tensor,
  attrs: GlobalPoolBackwardAttrs,
  { addend, ...options }: AddendOptions = {},
): Tensor => apply(globalPoolBackwardOp, addend ? [dy, first, addend] : [dy, first], attrs, options);
