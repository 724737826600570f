/** 3 x 3 matrices as nine numbers, row by row. */

export type Matrix3 = readonly number[];

export const multiply = (a: Matrix3, b: Matrix3): number[] =>
  Array.from({ length: 9 }, (_, i) => {
    const [row, column] = [3 * Math.floor(i / 3), i % 3];
    return [0, 1, 2].reduce((sum, k) => sum + (a[row + k] as number) * (b[3 * k + column] as number), 0);
  });

export const transposed = (a: Matrix3): number[] =>
  Array.from({ length: 9 }, (_, i) => a[3 * (i % 3) + Math.floor(i / 3)] as number);

const SWEEPS = 12;

/**
 * Eigenvalues, the largest first, and unit eigenvectors (the columns) of a symmetric matrix: Jacobi's rotations, each of
 * which makes one element off the diagonal zero.
 */
export function eigenSymmetric(matrix: Matrix3): { readonly values: readonly number[]; readonly vectors: Matrix3 } {
  let a = [...matrix];
  let v = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const [p, q] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      const off = a[3 * p + q] as number;
      if (off === 0) continue;
      const theta = ((a[4 * q] as number) - (a[4 * p] as number)) / (2 * off);
      const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
      const c = 1 / Math.sqrt(t * t + 1);
      const rotation = [1, 0, 0, 0, 1, 0, 0, 0, 1];
      rotation[4 * p] = rotation[4 * q] = c;
      rotation[3 * p + q] = t * c;
      rotation[3 * q + p] = -t * c;
      a = multiply(multiply(transposed(rotation), a), rotation);
      v = multiply(v, rotation);
    }
  }
  const order = [0, 1, 2].sort((i, j) => (a[4 * j] as number) - (a[4 * i] as number));
  return {
    values: order.map((i) => a[4 * i] as number),
    vectors: Array.from({ length: 9 }, (_, i) => v[3 * Math.floor(i / 3) + (order[i % 3] as number)] as number),
  };
}
