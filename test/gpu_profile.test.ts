/** The choice of tiles by the size of GPU: a pure function of what WebGPU tells of an adapter. */
import { describe, expect, test } from "vitest";
import { chooseTile, type Gemm, sliced } from "../src/kernels/gemm_tiles.js";
import { INTEGRATED_GPU, LARGE_GPU, MIDDLING_GPU, profileOf, SMALL_GPU } from "../src/kernels/gpu_profile.js";

const GEMMS: readonly Gemm[] = [
  { m: 64, n: 512, k: 8192, batches: 1 },
  { m: 256, n: 512, k: 4096, batches: 1 },
  { m: 1024, n: 256, k: 512, batches: 36 },
  { m: 16384, n: 64, k: 1024, batches: 4 },
];

describe("the size of a GPU", () => {
  test.each([
    ["intel", INTEGRATED_GPU],
    ["apple", INTEGRATED_GPU],
    ["qualcomm", INTEGRATED_GPU],
    ["nvidia", LARGE_GPU],
    ["amd", MIDDLING_GPU],
    ["", LARGE_GPU],
    [undefined, LARGE_GPU],
  ])("of vendor %s", (vendor, profile) => {
    expect(profileOf(vendor === undefined ? {} : { vendor })).toBe(profile);
  });

  test("of NVIDIA's, by their architecture", () => {
    expect(profileOf({ vendor: "nvidia", architecture: "pascal" })).toBe(SMALL_GPU);
    expect(profileOf({ vendor: "nvidia", architecture: "hopper" })).toBe(LARGE_GPU);
  });

  test("is the large one's where none is given", () => {
    for (const gemm of GEMMS) expect(chooseTile(gemm)).toEqual(chooseTile(gemm, undefined, LARGE_GPU));
  });

  test("decides for each what is estimated best there, and no choice suits both everywhere", () => {
    for (const [own, other] of [
      [INTEGRATED_GPU, LARGE_GPU],
      [SMALL_GPU, LARGE_GPU],
      [MIDDLING_GPU, LARGE_GPU],
      [LARGE_GPU, INTEGRATED_GPU],
    ] as const) {
      for (const gemm of GEMMS) {
        const best = chooseTile(gemm, undefined, own);
        const { tile } = chooseTile(gemm, undefined, other);
        expect(best.time).toBeLessThanOrEqual(sliced(gemm, tile, undefined, own).time);
      }
    }
    const choice = (gemm: Gemm, gpu: typeof LARGE_GPU): string => {
      const { tile, slices } = chooseTile(gemm, undefined, gpu);
      return `${tile.name} in ${slices}`;
    };
    expect(GEMMS.map((gemm) => choice(gemm, INTEGRATED_GPU))).not.toEqual(GEMMS.map((gemm) => choice(gemm, LARGE_GPU)));
  });

  test("few units need fewer slices to be busy", () => {
    const [small] = GEMMS;
    if (!small) throw new Error("no case");
    expect(chooseTile(small, undefined, INTEGRATED_GPU).slices).toBeLessThan(chooseTile(small).slices);
  });
});
