/**
 * Two more sets for `s2am eval`, 256 x 256, of another make than `s2am synth`'s:
 *
 *     node bench/quality/testsets/make.mjs strangers material/photos/val OUT   100 composites
 *     node bench/quality/testsets/make.mjs untouched test/photos/val OUT       200 photographs, nothing changed, random masks
 *
 * The photographs are those of scripts/collect_photos.mjs, which sees to their hashes: for `strangers` every second one of
 * those set aside from training, by name, for `untouched` those to measure on. The same files come of the same photographs.
 * No setting may be chosen by what is measured on either.
 */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { CHANGES, uniformFrom } from "./changes.mjs";
import { randomMask } from "./masks.mjs";

const SIZE = 256;
const COUNTS = { strangers: 100, untouched: 200 };
const SEED = 20_261_128;

const [kind, photos, out] = process.argv.slice(2);
if (!(kind in COUNTS) || !photos || !out) {
  console.error("usage: node bench/quality/testsets/make.mjs strangers|untouched PHOTOS OUT");
  process.exit(2);
}
const files = (await readdir(photos)).filter((name) => /\.(jpe?g|png|webp|tiff?)$/i.test(name)).sort();
const used = kind === "strangers" ? files.filter((_, i) => i % 2 === 1) : files;
if (used.length < 2) throw new Error(`${photos}: expected photographs, found ${files.length}`);
const folder = (part) => join(out, "val2017", part);
for (const part of ["image", "mask", "natural"]) await mkdir(folder(part), { recursive: true });

/** A random square of at least 6 tenths of the shorter side, as RGB of the set's size. */
async function squareOf(name, uniform) {
  const { data: whole, info } = await sharp(join(photos, name))
    .rotate()
    .toColourspace("srgb")
    .flatten({ background: "#fff" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const side = Math.floor(Math.min(width, height) * (0.6 + 0.4 * uniform()));
  const left = Math.floor((width - side + 1) * uniform());
  const top = Math.floor((height - side + 1) * uniform());
  return sharp(whole, { raw: { width, height, channels } })
    .extract({ left, top, width: side, height: side })
    .resize(SIZE, SIZE, { kernel: "lanczos3" })
    .toColourspace("srgb")
    .removeAlpha()
    .raw()
    .toBuffer();
}

const lines = [];
const kinds = Object.keys(CHANGES);
for (let index = 0; index < COUNTS[kind]; index++) {
  const uniform = uniformFrom(SEED + 7919 * index);
  const source = used[index % used.length];
  const natural = await squareOf(source, uniform);
  const mask = randomMask(SIZE, uniform);
  const line = { name: `${String(index).padStart(3, "0")}_${source.replace(/\.\w+$/, "")}.png`, source };
  const composite = Buffer.from(natural);
  if (kind === "strangers") {
    const transform = kinds[index % kinds.length];
    const other = used[Math.floor(used.length * uniform())];
    const theirs = await squareOf(other === source ? used[(index + 1) % used.length] : other, uniform);
    const inside = [...mask.keys()].filter((i) => mask[i] > 0);
    const region = Uint8Array.from(inside.flatMap((i) => [natural[3 * i], natural[3 * i + 1], natural[3 * i + 2]]));
    const { pixels, numbers } = CHANGES[transform](region, uniform, theirs);
    inside.forEach((i, k) => {
      for (let c = 0; c < 3; c++) {
        const [from, to] = [natural[3 * i + c], pixels[3 * k + c]];
        composite[3 * i + c] = Math.round(from + (mask[i] / 255) * (to - from));
      }
    });
    Object.assign(line, { transform, other, parameters: numbers });
  } else line.transform = "untouched";
  const write = (part, data, channels) =>
    sharp(data, { raw: { width: SIZE, height: SIZE, channels } })
      .png()
      .toFile(join(folder(part), line.name));
  await write("image", composite, 3);
  await write("mask", Buffer.from(mask), 1);
  await write("natural", natural, 3);
  lines.push(JSON.stringify(line));
}
await writeFile(join(out, "manifest.val.jsonl"), `${lines.join("\n")}\n`);
console.log(`${out}: ${COUNTS[kind]} of ${used.length} photographs`);
