/** Whether a device has matrix units that the kernels can use: told by a convolution on them, not by what it says of itself. */
import { AdapterError } from "../errors.js";
import { type MatrixConfig, matrixConfigsOf } from "../gpu/device.js";
import type { PipelineSpec } from "../gpu/pipelines.js";
import type { MatrixUnits } from "../graph/op.js";
import { Runtime } from "../graph/runtime.js";
import { conv2d_subgroup_matrix } from "../shaders.generated.js";
import { checkCase } from "./check.js";
import { conv2dSuite } from "./conv2d/cases.js";
import { VEC4 } from "./conv2d/fused.js";
import { MATRIX_FEATURES, matrixTiles } from "./conv2d/subgroup_matrix.js";
import { f16Rows } from "./suite.js";

/** Rows and columns of a subgroup's part, and the terms of a step, are multiples of a fragment's. */
const DIVIDES = { m: 32, n: 32, k: 32 };

/** The largest product of f16 with f32 sums that the kernel's tiles divide into; null where there is none. */
export function chooseConfig(configs: Iterable<MatrixConfig>): Omit<MatrixUnits, "lanes"> | null {
  const fitting = [...configs]
    .filter(({ componentType, resultComponentType }) => componentType === "f16" && resultComponentType === "f32")
    .map(({ M, N, K }) => ({ m: M, n: N, k: K }))
    .filter(({ m, n, k }) => DIVIDES.m % m === 0 && DIVIDES.n % n === 0 && DIVIDES.k % k === 0 && n % 4 === 0)
    .sort((a, b) => b.m * b.n * b.k - a.m * a.n * a.k);
  return fitting[0] ?? null;
}

export type MatrixUnitsFound =
  | { readonly units: MatrixUnits; readonly reason: null }
  | {
      readonly units: null;
      /** Why there are none. */
      readonly reason: string;
      /** The kernel runs, and what it computes is wrong. */
      readonly wrong?: boolean;
    };

/** Of conv2d's table: sizes off the tiles, and both tensors stored as f16. */
const ROW = "1x13x37x24-40_k3s1p1_bias_leaky_relu_f16";

const none = (reason: string): MatrixUnitsFound => ({ units: null, reason });

/** What a device says of its matrix units, before anything is compiled or computed on them. */
export function listedMatrixUnits(device: GPUDevice): MatrixUnitsFound {
  const missing = MATRIX_FEATURES.filter((feature) => !device.features.has(feature));
  if (missing.length > 0) return none(`the device has no ${missing.join(", ")}`);
  const config = chooseConfig(matrixConfigsOf(device));
  if (!config) return none("none of its matrix units multiplies f16 and adds up in f32");
  // Where subgroups vary in size (32 or 64 on AMD's), dawn gives shaders of matrices the largest, and asks for whole ones.
  const lanes = device.adapterInfo.subgroupMaxSize;
  if (!lanes) return none("it does not say how large its subgroups are");
  return { units: { ...config, lanes }, reason: null };
}

/** Those that a device lists, if a convolution on them is right. Never throws for what a device lacks. */
export async function findMatrixUnits(device: GPUDevice): Promise<MatrixUnitsFound> {
  const listed = listedMatrixUnits(device);
  const { units } = listed;
  if (!units) return listed;
  const row = conv2dSuite.cases.flatMap((one) => f16Rows(conv2dSuite, one)).find(({ name }) => name === ROW);
  if (!row) throw new Error(`matrix units: conv2d has no case ${ROW}`);
  const runtime = new Runtime(device, { matrixUnits: units });
  try {
    await runtime.pipelines.get(probe(units));
    const { worst, detail } = await checkCase(runtime, conv2dSuite, row, "subgroup_matrix");
    if (worst > 1) return { units: null, reason: `a convolution on them is wrong: ${detail}`, wrong: true };
    return { units, reason: null };
  } catch (error) {
    return none(`its driver refuses the kernel: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    runtime.dispose();
  }
}

/** @throws AdapterError where the device has none that can be used */
export async function requireMatrixUnits(device: GPUDevice): Promise<MatrixUnits> {
  const { units, reason } = await findMatrixUnits(device);
  if (units) return units;
  throw new AdapterError(
    `matrix units cannot be used: ${reason}: leave them out, or choose another adapter (s2am doctor says which has them)`,
  );
}

/** The kernel in one of its tiles: 0 the small one, 1 the large one. */
export const probe = (units: MatrixUnits, tile: 0 | 1 = 0): PipelineSpec => ({
  shader: conv2d_subgroup_matrix,
  overrides: {},
  consts: { ...VEC4.consts, ...matrixTiles(units)[tile].consts },
  types: VEC4.types,
});
