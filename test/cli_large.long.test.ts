/** A photograph of 12 megapixels, as a camera gives it: harmonized at full size by one command. */
import { beforeAll, expect, test } from "vitest";
import { encodeImage } from "../src/image/codec.node.js";
import type { Image } from "../src/image/image.js";
import { mulberry32 } from "../src/random.js";
import { boxMask, tinyWeights, workspace } from "./helpers/command_line.js";

const work = workspace();
const [W, H] = [4000, 3000];
const BOX = [1200, 800, 2800, 2200] as const;

beforeAll(async () => {
  const random = mulberry32(1);
  const data = new Uint8Array(W * H * 3);
  for (let i = 0; i < data.length; i++) {
    const pixel = Math.floor(i / 3);
    const slope = i % 3 === 1 ? Math.floor(pixel / W) / H : (pixel % W) / W;
    data[i] = 200 * slope + 55 * random();
  }
  const photo: Image = { width: W, height: H, channels: 3, depth: 8, data };
  work.write("photo.jpg", await encodeImage(photo, "jpeg", { quality: 90 }));
  await work.picture("mask.png", boxMask(W, H, BOX));
  work.write("tiny.safetensors", tinyWeights());
  work.write("peak.mjs", 'process.on("exit", () => console.error("peak", process.resourceUsage().maxRSS));');
});

test("its unmasked pixels are those of the decoded JPEG; memory stays below 1.5 GB", async () => {
  const args = ["harmonize", "photo.jpg", "mask.png", "-o", "out.png", "--weights", "tiny.safetensors", "--json"];
  const env = { NODE_OPTIONS: `--import ${work.path("peak.mjs")}` };
  const { code, stdout, stderr } = await work.s2am(args, { env, timeoutMs: 100_000 });
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^adapter: .*\npeak \d+\n$/) });
  expect(JSON.parse(stdout)).toMatchObject({ width: W, height: H, workedAt: { width: 512, height: 384 } });
  expect(Number(/peak (\d+)/.exec(stderr)?.[1]) * 1024).toBeLessThan(1.5e9);

  const [before, after] = [await work.decode("photo.jpg"), await work.decode("out.png")];
  expect([after.width, after.height, after.channels, after.depth]).toEqual([W, H, 3, 8]);
  let [inside, outside] = [0, 0];
  for (let i = 0; i < before.data.length; i++) {
    if (before.data[i] === after.data[i]) continue;
    const [x, y] = [Math.floor(i / 3) % W, Math.floor(i / 3 / W)];
    if (x >= BOX[0] && x < BOX[2] && y >= BOX[1] && y < BOX[3]) inside++;
    else outside++;
  }
  expect(outside).toBe(0);
  expect(inside).toBeGreaterThan(1e6);
});
