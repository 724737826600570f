/**
 * Composites as people make them, to look at: the objects of the example photographs pasted into others of them. There is no
 * right answer to measure against.
 *
 *     node scripts/real_composites.mjs paste OUT                       24 composites, NAME.png and NAME_mask.png
 *     s2am harmonize OUT -o RESULTS
 *     node scripts/real_composites.mjs sheet OUT RESULTS SHEET.jpg     each beside what became of it
 *
 * All photographs used are under CC BY 4.0 or CC0 (examples/CREDITS.md).
 */
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";

const EXAMPLES = fileURLToPath(new URL("../examples", import.meta.url));
/** Object, and the photographs it is pasted into, with its middle and height as shares of the picture. */
const PLAN = {
  dogs: ["mountain", "table", "fig", "cliff"],
  drum: ["mountain", "cliff", "dogs", "dandelion"],
  fig: ["table", "dogs", "brushes", "mountain"],
  table: ["cliff", "dandelion", "mountain", "drum"],
  brushes: ["fig", "table", "cliff", "dandelion"],
  dandelion: ["mountain", "cliff", "dogs", "table"],
};
const PLACES = [
  { x: 0.34, y: 0.62, height: 0.6 },
  { x: 0.66, y: 0.58, height: 0.55 },
  { x: 0.5, y: 0.6, height: 0.5 },
  { x: 0.62, y: 0.66, height: 0.5 },
];
const LONGEST = 512;

const [verb, ...args] = process.argv.slice(2);
if (verb === "paste" && args.length === 1) await paste(args[0]);
else if (verb === "sheet" && args.length === 3) await sheet(...args);
else {
  console.error("usage: node scripts/real_composites.mjs paste OUT | sheet OUT RESULTS SHEET.jpg");
  process.exit(2);
}

async function paste(out) {
  await mkdir(out, { recursive: true });
  for (const [object, backgrounds] of Object.entries(PLAN)) {
    const mask = await sharp(join(EXAMPLES, `${object}_mask.png`))
      .extractChannel(0)
      .toBuffer();
    const cut = await sharp(join(EXAMPLES, `${object}_real.jpg`))
      .joinChannel(mask)
      .png()
      .toBuffer();
    const box = await boxOf(mask);
    for (const [i, name] of backgrounds.entries()) {
      const background = sharp(join(EXAMPLES, `${name}_real.jpg`)).resize(LONGEST, LONGEST, { fit: "inside" });
      const { data, info } = await background.png().toBuffer({ resolveWithObject: true });
      const { x, y, height } = PLACES[i];
      const most = { width: Math.round(0.7 * info.width), height: Math.round(height * info.height) };
      const scaled = await sharp(cut)
        .extract(box)
        .resize(most.width, most.height, { fit: "inside" })
        .png()
        .toBuffer({ resolveWithObject: true });
      const at = (share, whole, part) => Math.round(Math.min(Math.max(0, share * whole - part / 2), whole - part));
      const left = at(x, info.width, scaled.info.width);
      const top = at(y, info.height, scaled.info.height);
      const pair = `${object}_in_${name}`;
      await sharp(data)
        .composite([{ input: scaled.data, left, top }])
        .removeAlpha()
        .png()
        .toFile(join(out, `${pair}.png`));
      const { width, height: high } = info;
      const alpha = await sharp(scaled.data).extractChannel(3).toBuffer();
      await sharp({ create: { width, height: high, channels: 3, background: "#000" } })
        .composite([{ input: alpha, left, top }])
        .removeAlpha()
        .toColourspace("b-w")
        .png()
        .toFile(join(out, `${pair}_mask.png`));
    }
  }
}

/** The least box that holds the mask. */
async function boxOf(mask) {
  const { data, info } = await sharp(mask)
    .extractChannel(0)
    .toColourspace("b-w")
    .raw()
    .toBuffer({ resolveWithObject: true });
  let [left, top, right, bottom] = [info.width, info.height, 0, 0];
  data.forEach((value, i) => {
    if (value < 8) return;
    const [x, y] = [i % info.width, Math.floor(i / info.width)];
    [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
  });
  return { left, top, width: right - left, height: bottom - top };
}

async function sheet(composites, results, out) {
  const [columns, width, height, gap] = [4, 200, 150, 6];
  const names = (await readdir(composites))
    .filter((name) => name.endsWith(".png") && !name.endsWith("_mask.png"))
    .sort();
  const tiles = [];
  for (const [i, name] of names.entries()) {
    for (const [k, folder] of [composites, results].entries()) {
      const input = await sharp(join(folder, name)).resize(width, height, { fit: "cover" }).png().toBuffer();
      const left = (i % columns) * (2 * width + gap) + k * width;
      tiles.push({ input, left, top: Math.floor(i / columns) * (height + gap) });
    }
  }
  const size = {
    width: columns * (2 * width + gap) - gap,
    height: Math.ceil(names.length / columns) * (height + gap) - gap,
  };
  await sharp({ create: { ...size, channels: 3, background: "#fff" } })
    .composite(tiles)
    .jpeg({ quality: 85 })
    .toFile(out);
  console.log(`${out}: ${names.length} composites, each with its result at the right`);
}
