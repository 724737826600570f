/** Optimizers, guard and averages over whole steps: against float64 and PyTorch, and what a bad gradient may not change. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { gradients } from "../src/autograd/backward.js";
import { compile } from "../src/graph/compile.js";
import { Runtime } from "../src/graph/runtime.js";
import { constant, input, type Shape, sizeOf, type Tensor, variable } from "../src/graph/tensor.js";
import { accumulateGradient } from "../src/kernels/accumulate_gradient/op.js";
import { type AdamHyper, adam, adamHyper } from "../src/kernels/adam/op.js";
import { concat } from "../src/kernels/concat/op.js";
import { conv2d } from "../src/kernels/conv2d/op.js";
import { emaUpdate } from "../src/kernels/ema_update/op.js";
import { gradientStatistics } from "../src/kernels/gradient_statistics/op.js";
import { mseLoss } from "../src/kernels/mse_loss/op.js";
import { HYPER_SIZE, stepGate } from "../src/kernels/step_gate/op.js";
import { updateRunning } from "../src/kernels/update_running/op.js";
import { testDevice } from "./helpers/device.js";
import { runGraph, values, withPlan } from "./helpers/graphs.js";

let device: GPUDevice;
let runtime: Runtime;
beforeAll(async () => {
  ({ device } = await testDevice());
  runtime = new Runtime(device);
});
afterAll(() => runtime.dispose());

const STEPS = 20;
const DECAY = 0.9;
const START = { a: [0.5, -1.25, 2], b: [0.75, -0.5, 1.5, -2] };
const gradientOf = {
  a: (t: number) => Array.from({ length: 3 }, (_, i) => Math.sin(3 * t + i) * (1 + i)),
  b: (t: number) => Array.from({ length: 4 }, (_, i) => 0.5 * Math.cos(2 * t + i)),
};

interface Optimizer {
  readonly decoupled: boolean;
  readonly hyper: AdamHyper;
}

/** Two parameters a[3] and b[2,2], the average of b, and a running statistic: everything that a step may change. */
class TwoParameters {
  readonly variables: readonly Tensor[];
  private readonly outputs: Record<string, Tensor>;
  private readonly effects: readonly Tensor[];

  constructor(
    private readonly owner: Runtime,
    private readonly optimizer: Optimizer,
  ) {
    const of = (name: string, shape: Shape, start?: readonly number[]): Tensor =>
      variable(name, shape, () => (start ? new Float32Array(start) : new Float32Array(sizeOf(shape))));
    const [a, b] = [of("a", [3], START.a), of("b", [2, 2], START.b)];
    const moments = [a, b].map(({ name, shape }) => [of(`m ${name}`, shape), of(`v ${name}`, shape)] as const);
    const [ema, running] = [of("ema b", [2, 2], START.b), of("running", [3], [1, 2, 3])];
    this.variables = [a, b, ...moments.flat(), ema, running];

    const [hyper, grads] = [input("hyper", [HYPER_SIZE]), [input("ga", [3]), input("gb", [2, 2])]];
    const statistics = concat(grads.map((g) => gradientStatistics(g)));
    const gate = stepGate(statistics, hyper);
    const stepped = [a, b].flatMap((parameter, i) => {
      const [g, [m, v]] = [grads[i] as Tensor, moments[i] as (typeof moments)[number]];
      return adam(parameter, g, m, v, hyper, gate, { decoupled: optimizer.decoupled });
    });
    const average = emaUpdate(ema, b, gate, input("decay", [1]));
    const [batch, scale] = [
      constant("batch", [3], new Float32Array([4, 5, 6])),
      constant("scale", [3], new Float32Array([2, 2, 2])),
    ];
    const moved = updateRunning(running, batch, gate, scale, { momentum: 0.1 });
    this.outputs = { statistics, gate };
    this.effects = [...stepped, average, moved];
  }

  /** @param gradient [a's, b's] of step t @returns per step, what it put out */
  async run(steps: number, gradient: (t: number) => readonly [readonly number[], readonly number[]]) {
    const plan = await compile(this.owner, this.outputs, { effects: this.effects });
    const found: Readonly<Record<string, Float32Array>>[] = [];
    for (let t = 0; t < steps; t++) {
      const [ga, gb] = gradient(t).map((numbers) => new Float32Array(numbers));
      const hyper = adamHyper(this.optimizer.hyper, t + 1);
      const feed = { ga, gb, hyper, decay: new Float32Array([DECAY]) } as Record<string, Float32Array>;
      found.push((await plan.run(feed)).outputs);
    }
    await plan.dispose();
    return found;
  }

  /** Values of all variables, by name. */
  async read(): Promise<Record<string, Float32Array>> {
    const read = await this.owner.variables.read(this.variables);
    return Object.fromEntries(this.variables.map(({ name }, i) => [name, read[i] ?? new Float32Array(0)]));
  }
}

const regular = (t: number) => [gradientOf.a(t), gradientOf.b(t)] as const;

/** Both parameters and the average of b after `steps` steps, in float64. */
function oracle({ decoupled, hyper }: Optimizer, steps: number) {
  const { lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0, clipNorm = 0 } = hyper;
  const parameters = [...START.a, ...START.b];
  const [m, v] = [parameters.map(() => 0), parameters.map(() => 0)];
  let ema = START.b;
  for (let t = 1; t <= steps; t++) {
    const g = regular(t - 1).flat();
    const norm = Math.hypot(...g);
    const scale = clipNorm > 0 ? Math.min(1, clipNorm / (norm + 1e-6)) : 1;
    parameters.forEach((value, i) => {
      const kept = decoupled ? value * (1 - lr * weightDecay) : value;
      const gradient = scale * (g[i] ?? 0) + (decoupled ? 0 : weightDecay * value);
      const mean = beta1 * (m[i] ?? 0) + (1 - beta1) * gradient;
      const square = beta2 * (v[i] ?? 0) + (1 - beta2) * gradient ** 2;
      [m[i], v[i]] = [mean, square];
      parameters[i] = kept - (lr * mean) / (1 - beta1 ** t) / (Math.sqrt(square / (1 - beta2 ** t)) + eps);
    });
    ema = ema.map((value, i) => DECAY * value + (1 - DECAY) * (parameters[3 + i] ?? 0));
  }
  return { parameters, ema };
}

function expectNear(found: Iterable<number>, expected: readonly number[], tolerance: number): void {
  const got = [...found];
  expect(got.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs((got[i] ?? Number.NaN) - value), `element ${i}`).toBeLessThanOrEqual(tolerance);
  });
}

/** After 20 steps of torch.optim.Adam and AdamW (2.x, float64) on the same gradients, with clip_grad_norm_. */
const PYTORCH: readonly (readonly [string, Optimizer, readonly number[]])[] = [
  [
    "Adam",
    { decoupled: false, hyper: { lr: 0.05 } },
    [0.465333848, -1.354541307, 1.914587453, 0.644533988, -0.536432297, 1.637226611, -1.885951593],
  ],
  [
    "Adam with decay and clipping",
    { decoupled: false, hyper: { lr: 0.05, weightDecay: 0.2, clipNorm: 1.5 } },
    [0.190011969, -0.987083599, 1.650000824, 0.221584987, -0.167260467, 0.706366834, -1.150249092],
  ],
  [
    "AdamW",
    { decoupled: true, hyper: { lr: 0.05, weightDecay: 0.2 } },
    [0.379745451, -1.111969202, 1.563078091, 0.523426794, -0.439356848, 1.342948487, -1.538520521],
  ],
  [
    "AdamW with other betas, eps and clipping",
    { decoupled: true, hyper: { lr: 0.05, beta1: 0.8, beta2: 0.95, eps: 1e-3, weightDecay: 0.2, clipNorm: 1.5 } },
    [0.382019432, -1.093842469, 1.574494099, 0.537915654, -0.438776918, 1.322613645, -1.554506868],
  ],
];

describe.each(PYTORCH)("%s", (_name, optimizer, expected) => {
  test("twenty steps equal PyTorch's and the float64 oracle's", async () => {
    const training = new TwoParameters(runtime, optimizer);
    await training.run(STEPS, regular);
    const state = await training.read();
    const found = [...(state.a ?? []), ...(state.b ?? [])];
    expectNear(found, expected, 3e-6);
    const { parameters, ema } = oracle(optimizer, STEPS);
    expectNear(parameters, expected, 1e-8);
    expectNear(state["ema b"] ?? [], ema, 3e-6);
  });

  test("the same steps give the same bits on another runtime", async () => {
    const bits: string[] = [];
    for (let attempt = 0; attempt < 2; attempt++) {
      const own = new Runtime(device);
      const training = new TwoParameters(own, optimizer);
      await training.run(STEPS, regular);
      bits.push(
        JSON.stringify(
          Object.entries(await training.read()).map(([name, x]) => [
            name,
            ...new Uint32Array(x.buffer.slice(0), x.byteOffset, x.length),
          ]),
        ),
      );
      own.dispose();
      expect(own.memory.liveBytes).toBe(0);
    }
    expect(bits[0]).toBe(bits[1]);
  });
});

describe("the gate", () => {
  const optimizer: Optimizer = { decoupled: true, hyper: { lr: 0.05, weightDecay: 0.1, clipNorm: 1 } };

  test.each([
    ["NaN", Number.NaN],
    ["infinity", Number.POSITIVE_INFINITY],
    ["minus infinity", Number.NEGATIVE_INFINITY],
    ["a value whose square overflows", 1e30],
  ])("%s in a gradient: nothing changes, and the tensor is named", async (_name, bad) => {
    const training = new TwoParameters(runtime, optimizer);
    await training.run(2, regular);
    const before = await training.read();
    const [step] = await training.run(1, () => [gradientOf.a(2), [0.5, 0.25, bad, 1]]);
    expect([...(step?.gate ?? [])]).toEqual([0, 0]);
    expect([step?.statistics?.[1], step?.statistics?.[3]]).toEqual([0, 1]);
    expect(await training.read()).toEqual(before);
    const [next] = await training.run(1, regular);
    expect(next?.gate?.[1]).toBe(1);
    expect(await training.read()).not.toEqual(before);
  });

  test("counts every bad value and leaves them out of the sum", async () => {
    const g = values([100_003]);
    const expected = g.reduce((sum, value, i) => sum + (i === 7 || i >= 100_001 ? 0 : value * value), 0);
    g[7] = Number.NaN;
    g[100_001] = Number.NEGATIVE_INFINITY;
    g[100_002] = Number.POSITIVE_INFINITY;
    const { y } = await runGraph(runtime, { y: gradientStatistics(input("g", [g.length])) }, { g });
    expect(y?.[1]).toBe(3);
    expect(Math.abs((y?.[0] ?? 0) / expected - 1)).toBeLessThan(1e-6);
  });

  test("cuts the gradients of all tensors to one norm", async () => {
    const training = new TwoParameters(runtime, optimizer);
    const [small, large] = await training.run(2, (t) =>
      t === 0
        ? [
            [0.5, 0, 0],
            [0, 0, 0, 0.5],
          ]
        : [
            [3, 0, 0],
            [0, 0, 4, 0],
          ],
    );
    expect([...(small?.gate ?? [])]).toEqual([1, 1]);
    expectNear(large?.gate ?? [], [1 / 5, 1], 1e-6);
  });
});

test("running statistics move by PyTorch's rule", async () => {
  const training = new TwoParameters(runtime, { decoupled: false, hyper: { lr: 0.05 } });
  await training.run(2, regular);
  const { running = [] } = await training.read();
  expectNear(
    running,
    [1, 2, 3].map((start, i) => 0.81 * start + 0.19 * 2 * (4 + i)),
    1e-6,
  );
});

describe("accumulation", () => {
  const [ROWS, IN, OUT] = [8, 4, 3];
  const start = values([1, 1, IN, OUT], 3);
  const [x, target] = [values([ROWS, 1, 1, IN], 4), values([ROWS, 1, 1, OUT], 5)];

  /** Gradient of a linear model's mean squared error over `rows` rows, times 1 / parts. */
  function linearGradient(rows: number, parts: number): Tensor {
    const w = variable("w", [1, 1, IN, OUT], () => start);
    const y = conv2d(input("x", [rows, 1, 1, IN]), w, null, { stride: 1, padding: 0 });
    const loss = mseLoss(y, input("target", [rows, 1, 1, OUT]));
    const seed = constant("seed", [1], new Float32Array([1 / parts]));
    return gradients(new Map([[loss, seed]]), [w]).get(w) as Tensor;
  }

  test("four micro-batches equal one large batch, whatever the sum held before", async () => {
    const { whole = new Float32Array(0) } = await runGraph(runtime, { whole: linearGradient(ROWS, 1) }, { x, target });
    const parts = 4;
    const sum = variable("sum", [1, 1, IN, OUT], () => new Float32Array(IN * OUT).fill(Number.NaN));
    const added = accumulateGradient(sum, linearGradient(ROWS / parts, parts), input("reset", [1]));
    await withPlan(runtime, { added }, async (plan) => {
      for (let step = 0; step < 2; step++) {
        let last: Float32Array | undefined;
        for (let k = 0; k < parts; k++) {
          const part = (all: Float32Array): Float32Array =>
            all.subarray((k * all.length) / parts, ((k + 1) * all.length) / parts);
          const feed = { x: part(x), target: part(target), reset: new Float32Array([k === 0 ? 1 : 0]) };
          last = (await plan.run(feed)).outputs.added;
        }
        expectNear(last ?? [], [...whole], 1e-6);
      }
    });
    const [kept] = await runtime.variables.read([sum]);
    expectNear(kept ?? [], [...whole], 1e-6);
  });
});

test("a concatenation of updated variables copies them: their own memory is what the update writes", async () => {
  const [before, g] = [values([4], 1), values([4], 2)];
  const sum = variable("sum", [4], () => before);
  const added = accumulateGradient(sum, input("g", [4]), input("reset", [1]));
  const { joined } = await runGraph(
    runtime,
    { joined: concat([added, input("g", [4])]) },
    { g, reset: new Float32Array(1) },
  );
  const expected = [...before].map((value, i) => value + (g[i] ?? 0));
  expectNear(joined ?? [], [...expected, ...g], 1e-7);
  const [kept] = await runtime.variables.read([sum]);
  expectNear(kept ?? [], expected, 1e-7);
});
