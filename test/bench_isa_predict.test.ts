/** The prediction from listings: its arithmetic, and how it stands beside a measurement. */
import { describe, expect, test } from "vitest";
import { pageOf } from "../bench/isa/page.js";
import { CARDS, type Card } from "../bench/isa/predict/cards.js";
import { predict, turnsOf } from "../bench/isa/predict/model.js";
import { multiplyAddsOf } from "../bench/isa/work.js";
import { predictionOf, summaryMarkdown } from "../scripts/bench_gpu/summary.mjs";
import type { Pass } from "../src/graph/op.js";
import { matmul_tiled } from "../src/shaders.generated.js";
import { figures, record } from "./helpers/isa.js";

const card = (pattern: string): Card => {
  const found = CARDS.find(({ name }) => name.includes(pattern));
  if (!found) throw new Error(`no card ${pattern}`);
  return found;
};
const XTX = card("7900 XTX");
/** 64 threads that each do 512 x 100 multiply-adds. */
const USE = {
  workgroups: 96 * 20,
  invocations: 96 * 20 * 64,
  flops: 0,
  bytes: 1e6,
  constantBytes: 0,
  multiplyAdds: 51200,
};

describe("a prediction", () => {
  test("turns come from the multiply-adds; without them from the plain algorithm's, else from the bytes", () => {
    expect(turnsOf(USE, figures())).toBe(100);
    const flops = 2 * USE.invocations * 512 * 7;
    expect(turnsOf({ ...USE, multiplyAdds: null, flops }, figures())).toBe(7);
    const moving = figures({}, { multiplyAdds: 0, multiplyAddInstructions: 0, memoryBytes: 16 });
    expect(turnsOf({ ...USE, bytes: 16 * USE.invocations * 5 }, moving)).toBe(5);
    expect(turnsOf(USE, figures({}, { whole: 1 }))).toBe(1);
  });

  test("a loop that fills its units is bound by what it issues", () => {
    // 20 workgroups of two subgroups of 32 on two SIMDs, 100 turns of 657 vector instructions at 2.3 GHz, and a pass.
    const { us, bound } = predict(USE, figures(), XTX);
    expect(bound).toBe("issue");
    expect(us).toBeCloseTo(2.5 + (20 * 100 * 657) / 2300, 6);
  });

  test("slow multiplications, few subgroups, weights and nothing to do are told apart", () => {
    const slow = predict(USE, figures({}, { multiplications: 100 }), XTX);
    expect(slow.us).toBeCloseTo(2.5 + (20 * 100 * (657 + 300)) / 2300, 6);
    const alone = { ...USE, workgroups: 1, invocations: 64 };
    expect(predict(alone, figures({}, { vector: 20, scalar: 2 }), XTX)).toEqual({
      us: 2.5 + (100 * 600) / 2300,
      bound: "latency",
    });
    const weights = { ...USE, bytes: 1e9, constantBytes: 1e9 };
    const { us, bound } = predict(weights, figures({}, { vector: 10, scalar: 2 }), XTX);
    expect(bound).toBe("memory");
    expect(us).toBeCloseTo(2.5 + 1e9 / (960e3 * 0.85), 6);
    const idle = { ...alone, bytes: 64, multiplyAdds: 512 };
    expect(predict(idle, figures({}, { vector: 20, scalar: 2 }), XTX)).toEqual({ us: 2.5, bound: "launch" });
  });

  test("a larger card is never slower, whatever bounds", () => {
    const larger = { ...XTX, units: 2 * XTX.units, memoryGBps: 2 * XTX.memoryGBps };
    for (const workgroups of [1, 95, 97, 5000]) {
      const use = { ...USE, workgroups, invocations: 64 * workgroups };
      expect(predict(use, figures(), larger).us).toBeLessThanOrEqual(predict(use, figures(), XTX).us);
    }
  });

  test("a tile's multiply-adds are read off the pass, padding counted in", () => {
    const consts = { TILE_M: 64, TILE_N: 64, ROWS: 8, COLUMNS4: 2, STEP_K4: 2 };
    const pass = { shader: matmul_tiled, consts, params: { m: 100, n4: 16, k4: 5 } };
    expect(multiplyAddsOf(pass)).toBe(8 * 8 * 24);
    expect(multiplyAddsOf({ ...pass, shader: { ...matmul_tiled, name: "another" } as Pass["shader"] })).toBeNull();
  });
});

describe("beside a measurement", () => {
  const predictions = {
    cards: CARDS,
    workloads: {
      "s2ad64-256-f32": { "Radeon RX 7900 XTX": { ms: 2 } },
      "s2ad64-256x8-train-f32": { "like an H100": { ms: 9 } },
    },
  };
  const row = { name: "s2ad", width: 64, size: 256, batch: 1, dtype: "f32" };

  test("it is found by workload and card, and by nothing less", () => {
    const adapter = "AMD Radeon RX 7900 XTX (RADV NAVI31)";
    expect(predictionOf(predictions, adapter, row)).toEqual({ card: "Radeon RX 7900 XTX", ms: 2 });
    expect(predictionOf(predictions, adapter, { ...row, dtype: "f16" })).toBeNull();
    expect(predictionOf(predictions, "AMD Radeon RX 6800 XT", row)).toBeNull();
    expect(predictionOf(null, adapter, row)).toBeNull();
    const training = { name: "s2ad", width: 64, size: 256, batch: 8, imagesPerSecond: 10 };
    expect(predictionOf(predictions, "NVIDIA H100 PCIe", training)).toEqual({ card: "like an H100", ms: 9 });
  });

  test("the summary shows both, and calls one a prediction", () => {
    const measured = { row: { ...row, gflop: 1, percentOfFloor: 1, dispatches: 1, movedBytes: 1, activationBytes: 1 } };
    const s2am = { ...measured, ms: 5, least: 5, most: 5, rounds: 1, gpuMs: 3 };
    const facts = { date: "2026", roofline: null, torch: null, check: null, kernels: [], notes: [], predictions };
    const text = summaryMarkdown({
      ...facts,
      adapter: "Radeon RX 7900 XTX",
      networks: [{ label: "s2ad", s2am, torch: [] }],
    });
    expect(text).toContain("| s2ad | Radeon RX 7900 XTX | 2.00 | 3.00 | 1.50 x |");
    expect(text).toContain("Beside the prediction");
    const other = summaryMarkdown({ ...facts, adapter: "llvmpipe", networks: [{ label: "s2ad", s2am, torch: [] }] });
    expect(other).not.toContain("prediction");
  });
});

test("the page names every kernel, marks what is bad, and escapes what it is given", () => {
  const html = pageOf(
    record([figures(), figures({ shader: "a<b", constants: "", spilledVgprs: 3 }, { whole: 1 })]),
    null,
  );
  expect(html).toContain("matmul_tiled");
  expect(html).toContain("a&lt;b *");
  expect(html).toContain('<td class="slower">3</td>');
  expect(html).toContain("78 %");
});
