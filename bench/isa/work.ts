/** What a planned graph dispatches: how much each pass computes and moves, read off its parameters. */
import { pipelineKey } from "../../src/gpu/pipelines.js";
import { invocationsOf, minimalBytes } from "../../src/graph/cost.js";
import { type Pass, type Scratch, scratchOf, viewsOf } from "../../src/graph/op.js";
import type { GraphPlan } from "../../src/graph/plan_graph.js";
import { bytesOf, sizeOf } from "../../src/graph/tensor.js";
import type { UsedKernel } from "./messages.js";

/** @param ids of the kernels, by their pipelines' keys */
export function usedKernels(plan: GraphPlan, ids: ReadonlyMap<string, number>): UsedKernel[] {
  return plan.passes.map(({ step: { node, variant, plan: own }, pass }) => {
    const last = own.passes.at(-1) === pass;
    return {
      id: ids.get(pipelineKey(pass)) ?? -1,
      op: node.op.name,
      variant,
      node: node.outputs[0]?.name ?? node.op.name,
      nodeId: node.id,
      workgroups: pass.workgroups.reduce((a, b) => a * b),
      invocations: invocationsOf(pass),
      flops: last ? node.op.flops(node.inputs, node.outputs, node.attrs) : 0,
      bytes: boundBytes(pass),
      constantBytes: constantBytesOf(pass, plan),
      multiplyAdds: multiplyAddsOf(pass),
      minBytes: last ? minimalBytes(node) : 0,
    };
  });
}

/** Every operand that a pass binds, counted whole. */
function boundBytes(pass: Pass): number {
  const views = viewsOf(pass).map(({ shape, dtype }) => sizeOf(shape) * bytesOf(dtype));
  return [...views, ...scratchOf(pass).map(({ bytes }) => bytes)].reduce((sum, bytes) => sum + bytes, 0);
}

function constantBytesOf(pass: Pass, { layout, persistent }: Pick<GraphPlan, "layout" | "persistent">): number {
  const constant = (id: number): boolean => layout.storages[id]?.source?.source.kind === "constant";
  const bytes = (storage: number): number => layout.storages[storage]?.bytes ?? 0;
  const views = new Set(viewsOf(pass).map(({ storage }) => storage));
  const held = [...views].filter(constant).reduce((sum, id) => sum + bytes(id), 0);
  const repacked = new Set<Scratch>(scratchOf(pass).filter((piece) => persistent.has(piece)));
  return held + [...repacked].reduce((sum, piece) => sum + piece.bytes, 0);
}

/** Terms of K that a workgroup's tile adds up, by the shader; its constants are those of lib/gemm_rows.wgsl. */
const TERMS: Readonly<Record<string, (params: Readonly<Record<string, number>>) => number>> = {
  matmul_tiled: ({ k4 = 0 }) => 4 * k4,
  matmul_tiled_transposed: ({ slice_k = 0, k = 0 }) => Math.min(slice_k, k),
  conv2d_implicit_gemm: ({ slice_k4 = 0, kernel_h = 0, kernel_w = 0, c4 = 0 }) =>
    4 * Math.min(slice_k4, kernel_h * kernel_w * c4),
  conv2d_backward_weight_implicit_gemm: ({ slice = 0, pixels = 0 }) => Math.min(slice, pixels),
};

export function multiplyAddsOf({ shader, consts, params }: Pick<Pass, "shader" | "consts" | "params">): number | null {
  const terms = TERMS[shader.name]?.(params);
  const { ROWS, COLUMNS4, STEP_K4 } = consts;
  if (!terms || !ROWS || !COLUMNS4 || !STEP_K4) return null;
  const step = 4 * STEP_K4;
  return ROWS * 4 * COLUMNS4 * Math.ceil(terms / step) * step;
}
