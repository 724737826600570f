/** Joins tensors along their channels. Free where the producers can write into the joined storage (graph/layout.ts). */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, type Problem, result, type TensorView } from "../../graph/op.js";
import { sameShape, showShape, type Tensor } from "../../graph/tensor.js";
import { copyPass } from "../copy.js";
import { present } from "../expect.js";
import { slice } from "../slice/op.js";

/** The place of each input in the joined tensor. */
function parts(p: Problem<object>): { from: TensorView; to: TensorView }[] {
  const joined = result(p);
  let { offset } = joined;
  return p.inputs.flatMap((from) => {
    if (!from) return [];
    const to = { ...joined, shape: from.shape, offset };
    offset += from.shape.at(-1) ?? 0;
    return [{ from, to }];
  });
}

export const concatOp = defineOp<object>({
  name: "concat",
  view: "concat",
  infer(inputs) {
    const shapes = inputs.map((spec, i) => present("concat", `tensor ${i}`, spec));
    const pixels = shapes[0]?.slice(0, -1) ?? [];
    if (shapes.length === 0 || shapes.some((shape) => !sameShape(shape.slice(0, -1), pixels))) {
      throw new ShapeError(
        `concat: tensors must agree in all but channels, got ${shapes.map(showShape).join(", ") || "none"}`,
      );
    }
    const dtypes = new Set(inputs.map((spec) => spec?.dtype ?? "f32"));
    const [dtype = "f32"] = dtypes;
    if (dtypes.size > 1) throw new ShapeError(`concat: tensors must be stored alike, got ${[...dtypes].join(" and ")}`);
    return [{ shape: [...pixels, shapes.reduce((sum, shape) => sum + (shape.at(-1) ?? 0), 0)], dtype }];
  },
  flops: () => 0,
  vjp: ({ inputs }, [dy]) => {
    let start = 0;
    return inputs.map((x) => {
      const length = x?.shape.at(-1) ?? 0;
      start += length;
      return dy && x ? slice(dy, { start: start - length, length }) : null;
    });
  },
  variants: [
    {
      name: "copy",
      features: [],
      f16: true,
      accepts: () => true,
      plan: (p) => ({
        passes: parts(p)
          .filter(({ from, to }) => from.storage !== to.storage)
          .map(({ from, to }) => copyPass(from, to)),
      }),
    },
  ],
});

/**
 * @param tensors [..., C_i], alike but for their channels
 * @returns [..., sum of C_i]
 */
export const concat = (tensors: readonly Tensor[], options?: ApplyOptions): Tensor =>
  apply(concatOp, tensors, {}, options);
