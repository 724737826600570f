/** Matrix units for tests: emulated in plain arithmetic on any device, and compiled against dawn's null adapter. */
import type { AnyShader } from "../../src/gpu/shader.js";
import type { MatrixUnits, Pass, Variant } from "../../src/graph/op.js";
import type { AnySuite } from "../../src/kernels/suite.js";

/**
 * The functions of lib/subgroup_matrix.wgsl: a fragment is a place in a tile; a sum is a slot of private memory, taken when it is
 * first added to, with its elements dealt out to the lanes. Bounds that a compiler cannot know keep it from unrolling what
 * it would then compile for minutes.
 */
const EMULATION = `
const M_FRAGMENT: u32 = 16u;
const N_FRAGMENT: u32 = 16u;
const K_FRAGMENT: u32 = 16u;
const SHARE: u32 = FRAGMENT / LANES;   // of a lane
struct Left { at: u32 }
struct Right { at: u32 }
struct Sum { slot: u32 }               // 0: still zero
var<private> values: array<f32, (SUMS + 1u) * SHARE>;
var<private> taken: u32;

fn bound(n: u32) -> u32 { return n + (p.h >> 31u); }
fn load_left(at: u32) -> Left { return Left(at); }
fn load_right(at: u32) -> Right { return Right(at); }
fn multiply_add(left: Left, right: Right, sum: Sum) -> Sum {
  var slot = sum.slot;
  if (slot == 0u) {
    taken++;
    slot = taken;
  }
  for (var e = 0u; e < bound(SHARE); e++) {
    let row = left.at + (e * LANES + lane) / N_FRAGMENT * A_STRIDE;
    let column = right.at + (e * LANES + lane) % N_FRAGMENT;
    var total = values[slot * SHARE + e];
    for (var k = 0u; k < bound(K_FRAGMENT); k++) {
      total += f32(a_tile[row + k]) * f32(b_tile[column + k * B_STRIDE]);
    }
    values[slot * SHARE + e] = total;
  }
  return Sum(slot);
}
fn store_sum(at: u32, sum: Sum) {
  for (var e = 0u; e < bound(SHARE); e++) { c_tile[at + e * LANES + lane] = values[sum.slot * SHARE + e]; }
}
`;

/** A subgroup of the emulation is a run of LANES threads, of whatever subgroups the adapter has. */
const IDENTITY = ", @builtin(subgroup_id) subgroup: u32, @builtin(subgroup_invocation_id) subgroup_lane: u32";
const OWN_IDENTITY = "  let subgroup = thread / LANES;\n  lane = thread % LANES;";

/** The shader with its library of matrix units replaced, and its loops not unrolled. */
export function emulated(shader: AnyShader): AnyShader {
  const library = shader.source.indexOf("// The matrix units, in four functions");
  const next = shader.source.indexOf("\n// ", shader.source.indexOf("fn store_sum"));
  const directive = "enable chromium_experimental_subgroup_matrix;";
  if (library < 0 || next < library || !shader.source.includes(directive)) {
    throw new Error(`${shader.name}: has no library of matrix units to replace`);
  }
  const source = shader.source.slice(0, library) + EMULATION + shader.source.slice(next);
  if (/subgroupMatrix|subgroup_matrix_/.test(source)) throw new Error(`${shader.name}: uses matrix units beside it`);
  const rolled = source
    .replace(directive, "")
    .replace(/ < (\w+); (\w)\+\+\) \{ \/\/ @unroll/g, " < bound($1); $2++) {");
  const plain = rolled.replace(IDENTITY, "").replace(/^ *lane = subgroup_lane;$/m, OWN_IDENTITY);
  if (/@builtin\(subgroup|@unroll/.test(plain)) throw new Error(`${shader.name}: was not taken apart`);
  return { ...shader, name: `${shader.name}_emulated`, source: plain };
}

/** The suite with one variant alone: its form for matrix units, emulated. @param plan in place of the variant's own */
export function emulatedSuite(suite: AnySuite, plan?: Variant<unknown>["plan"]): AnySuite {
  const variant = suite.op.variants.find(({ name }) => name === "subgroup_matrix");
  if (!variant) throw new Error(`${suite.op.name} has no variant for matrix units`);
  const shaders = new Map<AnyShader, AnyShader>();
  const replace = (pass: Pass): Pass => {
    if (!pass.shader.name.endsWith("subgroup_matrix")) return pass;
    const shader = shaders.get(pass.shader) ?? emulated(pass.shader);
    shaders.set(pass.shader, shader);
    return { ...pass, shader };
  };
  const plain: Variant<unknown> = {
    ...variant,
    features: ["shader-f16"],
    plan(problem, capabilities) {
      const planned = (plan ?? variant.plan)(problem, capabilities);
      return { ...planned, passes: planned.passes.map(replace) };
    },
  };
  return { ...suite, op: { ...suite.op, variants: [plain] } };
}

/** The shapes that drivers offer: NVIDIA's and AMD's, Apple's, Intel's. */
export const SHAPES: readonly Omit<MatrixUnits, "lanes">[] = [
  { m: 16, n: 16, k: 16 },
  { m: 8, n: 8, k: 8 },
  { m: 8, n: 16, k: 16 },
];
