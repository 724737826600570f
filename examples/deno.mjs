/**
 * Harmonizes a picture in Deno, on its own WebGPU (wgpu), with the weights in the box:
 *
 *   deno run --allow-read --allow-write --allow-env --allow-ffi --allow-sys examples/deno.mjs composite.jpg mask.png harmonized.png
 *
 * Reading and writing is for the pictures and weights, the rest for sharp, which decodes JPEG and other formats than PNG. The engine itself
 * needs no permission: with pixels at hand, `dist/index.js` alone will do, as in a page.
 */
import { readFile, writeFile } from "node:fs/promises";
import { DEFAULT_WEIGHTS, decodeImage, encodeImage, Harmonizer } from "../dist/node.js";

const [composite, mask, output] = process.argv.slice(2);
if (!composite || !mask || !output) {
  console.error("usage: deno run ... examples/deno.mjs COMPOSITE MASK OUTPUT");
  process.exit(2);
}
const harmonizer = await Harmonizer.load(await readFile(DEFAULT_WEIGHTS()));
const { image, totalMs } = await harmonizer.harmonize({
  image: await decodeImage(composite),
  mask: await decodeImage(mask),
});
await writeFile(output, await encodeImage(image, output.endsWith(".png") ? "png" : "jpeg"));
await harmonizer.dispose();
console.log(`${output}: ${image.width} x ${image.height}, ${totalMs.toFixed(0)} ms`);
