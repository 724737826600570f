/**
 * Tensors of any shapes one after the other, so that one dispatch serves all of them. Free where their producers can write
 * to their places (graph/layout.ts). What lies between them is nobody's and may hold anything.
 */
import { ShapeError } from "../../errors.js";
import { type ApplyOptions, apply, defineOp, operand, PART_ALIGNMENT, result } from "../../graph/op.js";
import { showShape, sizeOf, type Tensor } from "../../graph/tensor.js";
import { copyPass } from "../copy.js";
import { expectIntegers, f32, present } from "../expect.js";

export interface PackAttrs {
  /** Elements before each tensor: rising multiples of 64, clear of one another. */
  readonly starts: readonly number[];
  /** Elements in all. */
  readonly size: number;
}

export const packOp = defineOp<PackAttrs>({
  name: "pack",
  view: "pack",
  infer(inputs, { starts, size }) {
    expectIntegers("pack", { size }, 1);
    let end = 0;
    inputs.forEach((spec, i) => {
      const shape = present("pack", `tensor ${i}`, spec);
      const start = starts[i] ?? Number.NaN;
      if (!(start >= end) || start % PART_ALIGNMENT !== 0 || start + sizeOf(shape) > size) {
        throw new ShapeError(
          `pack: tensor ${i} ${showShape(shape)} must start at a multiple of ${PART_ALIGNMENT} from ${end} and end by ${size}, got ${start}`,
        );
      }
      end = start + sizeOf(shape);
    });
    return f32([size]);
  },
  flops: () => 0,
  variants: [
    {
      name: "copy",
      features: [],
      accepts: () => true,
      plan(p) {
        const packed = result(p);
        const places = p.inputs.map((_, i) => {
          const from = operand(p, i);
          const base = p.attrs.starts[i] ?? 0;
          return { from, to: { ...packed, shape: from.shape, pitch: from.shape.at(-1) ?? 1, offset: 0, base } };
        });
        return {
          passes: places
            .filter(({ from, to }) => from.storage !== to.storage)
            .map(({ from, to }) => copyPass(from, to)),
        };
      },
    },
  ],
});

/** @returns [size] */
export const pack = (tensors: readonly Tensor[], attrs: PackAttrs, options?: ApplyOptions): Tensor =>
  apply(packOp, tensors, attrs, options);
