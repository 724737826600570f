/** The example pictures keep their promises: pairs fit, masks mark an object, composites differ inside them alone. */
import { readdir, readFile, stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { decodeImage, encodeImage } from "../src/image/codec.node.js";
import { toFloatRgb } from "../src/image/float.js";
import { checkMask, maskFromImage } from "../src/image/mask.js";
import { psnr } from "../src/image/metrics.js";
import { paste } from "../src/image/paste.js";

const folder = new URL("../examples/", import.meta.url).pathname;
const files = await readdir(folder);
const names = files.filter((file) => file.endsWith("_mask.png")).map((file) => file.slice(0, -"_mask.png".length));

describe("examples", () => {
  it("are eight to ten, under 6 MB together, and credited", async () => {
    expect(names.length).toBeGreaterThanOrEqual(8);
    expect(names.length).toBeLessThanOrEqual(10);
    const sizes = await Promise.all(files.map(async (file) => (await stat(folder + file)).size));
    expect(sizes.reduce((a, b) => a + b)).toBeLessThan(6e6);
    const credits = await readFile(`${folder}CREDITS.md`, "utf8");
    for (const name of names) expect(credits).toContain(`\`${name}\``);
  });

  for (const name of names)
    it(name, async () => {
      const png = files.includes(`${name}.png`);
      const [composite, mask, real] = await Promise.all([
        decodeImage(`${folder}${name}.${png ? "png" : "jpg"}`),
        decodeImage(`${folder}${name}_mask.png`).then(maskFromImage),
        decodeImage(`${folder}${name}_real.jpg`),
      ]);
      expect(() => checkMask(mask, composite)).not.toThrow();
      const share = mask.data.reduce((a, b) => a + b) / mask.data.length;
      expect(share).toBeGreaterThan(0.1);
      expect(share).toBeLessThan(0.35);
      expect(psnr(composite, real)).toBeGreaterThan(18);
      expect(psnr(composite, real)).toBeLessThan(28);
      const changedOutside = composite.data.some((v, i) => mask.data[Math.floor(i / 3)] === 0 && v !== real.data[i]);
      if (png) expect(changedOutside).toBe(false);
    });

  it("a JPEG changed inside its mask and written as PNG keeps every unmasked pixel", async () => {
    const photo = await decodeImage(`${folder}nuthatch_real.jpg`);
    const mask = maskFromImage(await decodeImage(`${folder}nuthatch_mask.png`));
    const changed = toFloatRgb(photo);
    changed.data.forEach((v, i) => {
      changed.data[i] = 1 - v;
    });
    const back = await decodeImage(await encodeImage(paste(photo, changed, mask), "png"));
    let kept = 0;
    let differing = 0;
    for (let i = 0; i < back.data.length; i++) {
      if (mask.data[Math.floor(i / 3)] !== 0) continue;
      kept++;
      if (back.data[i] !== photo.data[i]) differing++;
    }
    expect(kept).toBeGreaterThan(1e6);
    expect(differing).toBe(0);
  });
});
