/**
 * The three channel gates of an S2AM at once, from one pooling of its features: sigmoid(W2 relu(W1 [average, maximum] +
 * b1) + b2) for the foreground's features, the mixed ones and the background's.
 */
import {
  type ApplyOptions,
  applyAll,
  defineOp,
  operand,
  type Problem,
  pass,
  result,
  shapeOf,
  type TensorView,
  type Variant,
} from "../../graph/op.js";
import { nhwc, sizeOf, type Tensor } from "../../graph/tensor.js";
import { attention_gates_direct, attention_gates_units, attention_gates_workgroup } from "../../shaders.generated.js";
import { attentionGatesBackward } from "../attention_gates_backward/op.js";
import { expectF32, f32, present } from "../expect.js";
import { joinRows, poolRows } from "../global_pool/op.js";
import { globalPoolBackward } from "../global_pool_backward/op.js";
import { lanesOf, threads, viewParams } from "../views.js";
import { GATES, type GateSize, gateSize } from "./packing.js";

const sizeOfProblem = (p: Problem<object>): GateSize =>
  gateSize("attention_gates", operand(p, 0).shape[3] ?? 0, operand(p, 1).shape);

function viewsOfProblem(p: Problem<object>) {
  const [foreground, composing, pooled, units, first] = [0, 1, 2, 3, 4].map((i) => result(p, i)) as [
    TensorView,
    TensorView,
    TensorView,
    TensorView,
    TensorView,
  ];
  return { foreground, composing, pooled, units, first };
}

/** More threads hide a GPU's latency; on a CPU each has its share of a barrier's cost. */
const threadsOf = (software: boolean): number => (software ? 64 : 256);

/** Pooled values that workgroup memory has room for: a power of two, so that few sizes need a pipeline of their own. */
const pooledRoom = (channels: number): number => 2 ** Math.max(8, Math.ceil(Math.log2(2 * channels)));

/** Two passes: the rows' pooling, then everything else, a workgroup an image and gate. */
const workgroup: Variant<object> = {
  name: "workgroup",
  features: [],
  f16: true,
  accepts: (p, { limits, software }) => {
    const { channels, units } = sizeOfProblem(p);
    const bytes = 4 * (pooledRoom(channels) + 2 * threadsOf(software));
    return (
      units <= threadsOf(software) &&
      bytes <= limits.maxComputeWorkgroupStorageSize &&
      (operand(p, 0).shape[0] ?? 0) <= limits.maxComputeWorkgroupsPerDimension
    );
  },
  plan: (p, { software }) => {
    const x = operand(p, 0);
    const [n, h, w, c] = nhwc("attention_gates", "x", x.shape);
    const { rows, partial } = poolRows(x, lanesOf([x]));
    const outputs = viewsOfProblem(p);
    const gates = pass(attention_gates_workgroup, {
      bind: { partial, weights: operand(p, 1), ...outputs },
      consts: { THREADS: threadsOf(software), POOLED: pooledRoom(c) },
      params: {
        h,
        w,
        pixels: h * w,
        c,
        hidden: sizeOfProblem(p).units,
        ...viewParams("foreground", outputs.foreground),
        ...viewParams("composing", outputs.composing),
        ...viewParams("pooled", outputs.pooled),
        ...viewParams("units", outputs.units),
        ...viewParams("first", outputs.first),
      },
      workgroups: [GATES, n, 1],
    });
    return { passes: [rows, gates] };
  },
};

/** A pass for each step: the readable variant, which accepts everything. */
const direct: Variant<object> = {
  name: "direct",
  features: [],
  f16: true,
  accepts: () => true,
  plan: (p) => {
    const [x, weights] = [operand(p, 0), operand(p, 1)];
    const [n, , , c] = nhwc("attention_gates", "x", x.shape);
    const { foreground, composing, pooled, units, first } = viewsOfProblem(p);
    const { rows, partial } = poolRows(x, lanesOf([x]));
    const hidden = sizeOfProblem(p).units;
    const inner = pass(attention_gates_units, {
      bind: { pooled, weights, units },
      params: { n, c, hidden, ...viewParams("pooled", pooled), ...viewParams("units", units) },
      workgroups: threads(n * GATES * hidden),
    });
    const outer = pass(attention_gates_direct, {
      bind: { units, weights, foreground, composing },
      params: {
        n,
        c,
        hidden,
        ...viewParams("units", units),
        ...viewParams("foreground", foreground),
        ...viewParams("composing", composing),
      },
      workgroups: threads(n * GATES * c),
    });
    return { passes: [rows, joinRows(partial, x.shape, pooled, first), inner, outer] };
  },
};

export const attentionGatesOp = defineOp<object>({
  name: "attention_gates",
  infer([x, packed]) {
    const [n, , , c] = nhwc("attention_gates", "x", present("attention_gates", "x", x));
    const { units } = gateSize("attention_gates", c, present("attention_gates", "packed", packed));
    expectF32("attention_gates", "packed", packed);
    return [...f32([n, c]), ...f32([n, 2 * c]), ...f32([n, 2 * c]), ...f32([n, GATES * units]), ...f32([n, c])];
  },
  vjp({ inputs: [x, packed], outputs, needs, claim }, dy) {
    const [foreground, composing, pooled, units, first] = outputs;
    const [dForeground, dComposing, ...others] = dy;
    if (!x || !packed || !foreground || !composing || !pooled || !units || !first) return [];
    if (!dForeground || !dComposing || others.some((gradient) => gradient !== null)) {
      throw new Error("attention_gates: its gradient follows from those of both gates, and of nothing else");
    }
    const gates = { dForeground, dComposing, foreground, composing, units, pooled, packed };
    const { dPooled, dPacked } = attentionGatesBackward(gates);
    const [, height, width] = nhwc("attention_gates", "x", x.shape);
    const addend = (needs[0] && claim(0)) || undefined;
    return [needs[0] ? globalPoolBackward(dPooled, first, { height, width }, { addend }) : null, dPacked];
  },
  flops: ([x, packed]) => 2 * sizeOf(shapeOf(x)) + 2 * sizeOf(shapeOf(packed)) * (shapeOf(x)[0] ?? 0),
  variants: [workgroup, direct],
});

export interface AttentionGates {
  /** [N, C]: scales the foreground's features. */
  readonly foreground: Tensor;
  /** [N, 2 C]: scales the features of the composition, mixed ones first, then the background's. */
  readonly composing: Tensor;
}

/**
 * @param x [N, H, W, C]
 * @param packed [3, 3 C units + units + C], as packing.ts has it
 */
export function attentionGates(x: Tensor, packed: Tensor, options?: ApplyOptions): AttentionGates {
  const [foreground, composing] = applyAll(attentionGatesOp, [x, packed], {}, options);
  return { foreground, composing } as AttentionGates;
}
