/** Checks that the ops' shape inference shares, so that their errors read alike. */
import { ShapeError } from "../errors.js";
import { type Shape, sameShape, showShape, type TensorSpec } from "../graph/tensor.js";

/** The shape of an operand that must be there. */
export function present(op: string, what: string, spec: TensorSpec | null | undefined): Shape {
  if (!spec) throw new ShapeError(`${op}: ${what} is missing`);
  return spec.shape;
}

/** @param because what asks for that shape, e.g. `x [1,8,8,4]` */
export function expectShape(
  op: string,
  what: string,
  spec: TensorSpec | null | undefined,
  shape: Shape,
  because: string,
): void {
  const got = present(op, what, spec);
  if (!sameShape(got, shape)) {
    throw new ShapeError(`${op}: ${what} must be ${showShape(shape)} for ${because}, got ${showShape(got)}`);
  }
}

/** Every number an integer of at least `min`. */
export function expectIntegers(op: string, numbers: Readonly<Record<string, number>>, min: number): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isInteger(value) || value < min) {
      throw new ShapeError(`${op}: ${name} must be an integer from ${min}, got ${value}`);
    }
  }
}

/** For what kernels read as f32 whatever the rest is stored as: biases, gates, masks. */
export function expectF32(op: string, what: string, spec: TensorSpec | null | undefined): void {
  if (spec && spec.dtype !== "f32") throw new ShapeError(`${op}: ${what} must be stored as f32, got ${spec.dtype}`);
}

export const f32 = (shape: Shape): readonly [TensorSpec] => [{ shape, dtype: "f32" }];
