/**
 * A network whose learned block is computed under the mask alone, against one that computes it everywhere, and against
 * what a plan that ran for another mask left in its buffers.
 */
import { expect, test } from "vitest";
import { compile } from "../src/graph/compile.js";
import { Runtime } from "../src/graph/runtime.js";
import { constant, input } from "../src/graph/tensor.js";
import { conv2dCompose } from "../src/kernels/conv2d_compose/op.js";
import { tileOrder } from "../src/kernels/tile_order/op.js";
import { DEFAULT_CONFIG, type ModelConfig, type S2amPart } from "../src/model/config.js";
import { unet } from "../src/model/unet.js";
import { loadModel } from "../src/model/weights.js";
import { testDevice, withErrorScopes } from "./helpers/device.js";
import { hashedPicture, hashedTensors } from "./helpers/hashed.js";

const [BATCH, SIZE] = [2, 96];
/** Of the largest value: what kernels and networks are held to everywhere. */
const RELATIVE = 1e-4;

/** A picture whose masks are discs: [row, column, radius] of each image; radius 0 is no mask at all. */
function pictureWith(discs: readonly (readonly [row: number, column: number, radius: number])[]): Float32Array {
  const x = hashedPicture(BATCH, SIZE, SIZE);
  for (let i = 0; i < BATCH * SIZE * SIZE; i++) {
    const [image, row, column] = [Math.floor(i / SIZE ** 2), Math.floor(i / SIZE) % SIZE, i % SIZE];
    const [y = 0, c = 0, radius = 0] = discs[image] ?? [];
    x[4 * i + 3] = Math.hypot(row - y, column - c) < radius ? 1 : 0;
  }
  return x;
}

const QUICK: [string, S2amPart[]][] = [
  ["whole", []],
  ["without blur", ["blur"]],
];
const LONG: [string, S2amPart[]][] = [
  ["without gates", ["gates"]],
  ["without the term Gmix", ["mixed"]],
];

test.each([...QUICK, ...(process.env.S2AM_LONG ? LONG : [])])(
  "%s: under the mask alone as everywhere, for every mask",
  async (_, without) => {
    const config: ModelConfig = { ...DEFAULT_CONFIG, arch: "s2ad", width: 8, levels: 5, without };
    const { device } = await testDevice();
    await withErrorScopes(device, async () => {
      const runtime = new Runtime(device, { software: true });
      const model = loadModel(hashedTensors(config), {}, config);
      const { y } = unet(model.layers, config, input("x", [BATCH, SIZE, SIZE, 4]));
      const planOf = (variant: string) =>
        compile(runtime, { y }, { tuning: "off", force: { conv2d_compose: variant, conv2d: variant } });
      const everywhere = await planOf("direct");
      const sparse = await compile(runtime, { y }, { tuning: "off", force: { conv2d_compose: "winograd" } });
      const dispatched = new Set(sparse.parts.dispatches.map(({ shader }) => shader));
      expect(dispatched.has("tile_workgroups")).toBe(true);
      expect(dispatched.has("s2am_background")).toBe(true);
      const masks = [
        [
          [20, 70, 9],
          [60, 10, 14],
        ],
        [
          [90, 3, 20],
          [0, 0, 0],
        ],
        [
          [0, 0, 0],
          [0, 0, 0],
        ],
        [
          [48, 48, 200],
          [5, 95, 3],
        ],
      ] as const;
      for (const discs of masks) {
        const x = pictureWith(discs);
        const [expected, found] = [await everywhere.run({ x }), await sparse.run({ x })];
        const want = expected.outputs.y ?? new Float32Array(0);
        const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const error = want.reduce(
          (most, value, i) => Math.max(most, Math.abs(value - (found.outputs.y?.[i] ?? Number.NaN))),
          0,
        );
        expect(error, JSON.stringify(discs)).toBeLessThan(RELATIVE * largest);
      }
      await everywhere.dispose();
      await sparse.dispose();
      runtime.dispose();
    });
  },
);

test.each(["direct", "subgroup", "subgroup_3x3", "winograd"])(
  "what an earlier convolution left out may be no number: composed by %s",
  async (variant) => {
    const { device } = await testDevice();
    await withErrorScopes(device, async () => {
      const runtime = new Runtime(device, { software: true });
      const [size, cIn, cOut] = [12, 8, 8];
      const shape = [1, size, size, cOut];
      const values = (length: number, of: (i: number) => number) => Float32Array.from({ length }, (_, i) => of(i));
      const [x, features] = [input("x", [1, size, size, cIn]), input("features", shape)];
      const [gates, m] = [input("gates", [1, 2 * cOut]), input("m", [1, size, size, 1])];
      const w = constant(
        "w",
        [3, 3, cIn, cOut],
        values(9 * cIn * cOut, (i) => (i % 7) - 3),
      );
      const attrs = { stride: 1, padding: 1, activation: "elu" } as const;
      const y = conv2dCompose(x, w, null, { features, gates, m, tiles: tileOrder(m).within }, attrs, { variant });
      const plan = await compile(runtime, { y }, { tuning: "off" });
      // The mask is the first row; windows of rows from the third on see what may hold anything.
      const { outputs } = await plan.run({
        x: values(size * size * cIn, (i) => (i < 2 * size * cIn ? 0.5 : Number.NaN)),
        features: values(size * size * cOut, (i) => i + 1),
        gates: values(2 * cOut, (i) => (i < cOut ? 3 : 2)),
        m: values(size * size, (i) => (i < size ? 1 : 0)),
      });
      const found = outputs.y ?? new Float32Array(0);
      expect(found.subarray(0, size * cOut).every(Number.isFinite)).toBe(true);
      expect(found.subarray(size * cOut)).toEqual(values(size * size * cOut, (i) => 2 * (i + 1)).subarray(size * cOut));
      await plan.dispose();
      runtime.dispose();
    });
  },
);
