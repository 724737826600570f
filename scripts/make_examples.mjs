/**
 * Makes the pictures in examples/ out of photographs from Debian's packages: for each a real photo, a mask along the
 * outline of one thing in it, and a composite in which that thing was restyled as if it came from another picture.
 * Everything is in examples.json and nothing is random, so the pictures can be made again:
 *
 *     apt-get download lomiri-wallpapers-16.04 lomiri-wallpapers-20.04
 *     for deb in *.deb; do dpkg -x $deb photos; done
 *     node scripts/make_examples.mjs photos/usr/share/backgrounds
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";

const JPEG = { quality: 95, chromaSubsampling: "4:4:4" };
const LICENCES = {
  "CC0-1.0": ["CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"],
  "CC-BY-4.0": ["CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"],
  "CC-BY-SA-3.0": ["CC BY-SA 3.0", "https://creativecommons.org/licenses/by-sa/3.0/"],
};

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [photos, out = here("../examples")] = process.argv.slice(2);
if (!photos) {
  console.error("usage: node scripts/make_examples.mjs FOLDER_WITH_PHOTOS [OUTPUT_FOLDER]");
  process.exit(2);
}
const examples = JSON.parse(await readFile(here("examples.json"), "utf8"));
await mkdir(out, { recursive: true });
for (const example of examples) {
  const { name, format, width, height } = example;
  // The composite starts from the real photo as its JPEG decodes, so that outside the mask the two are equal.
  const real = await sharp(join(photos, example.photo))
    .extract(example.crop)
    .resize(width, height, { fit: "fill", kernel: "lanczos3" })
    .toColourspace("srgb")
    .jpeg(JPEG)
    .toBuffer();
  const { data: pixels } = await sharp(real).raw().toBuffer({ resolveWithObject: true });
  const mask = rasterize(example.outlines, width, height);
  const composite = restyle(pixels, mask, example.restyle);

  const picture = sharp(composite, { raw: { width, height, channels: 3 } });
  await (format === "jpg" ? picture.jpeg(JPEG) : picture.png({ compressionLevel: 9, adaptiveFiltering: true })).toFile(
    join(out, `${name}.${format}`),
  );
  await writeFile(join(out, `${name}_real.jpg`), real);
  await sharp(mask, { raw: { width, height, channels: 1 } })
    .toColourspace("b-w")
    .png({ compressionLevel: 9 })
    .toFile(join(out, `${name}_mask.png`));
  const share = mask.reduce((sum, value) => sum + value, 0) / 255 / mask.length;
  console.log(
    `${name.padEnd(10)} ${width}x${height}  mask ${(100 * share).toFixed(1)} %  PSNR ${psnr(pixels, composite).toFixed(2)} dB`,
  );
}
await writeFile(join(out, "CREDITS.md"), credits(examples));

/** The share of each pixel that lies inside the outlines (even-odd), as 0..255, from 8 x 8 samples. */
function rasterize(outlines, width, height) {
  const STEPS = 8;
  const mask = new Uint8Array(width * height);
  const row = new Uint16Array(width);
  for (let y = 0; y < height; y++) {
    row.fill(0);
    for (let step = 0; step < STEPS; step++) {
      const crossings = outlines
        .flatMap((outline) => crossingsAt(outline, y + (step + 0.5) / STEPS))
        .sort((a, b) => a - b);
      for (let i = 0; i + 1 < crossings.length; i += 2) {
        const first = Math.max(0, Math.round(crossings[i] * STEPS));
        const last = Math.min(width * STEPS, Math.round(crossings[i + 1] * STEPS));
        for (let sample = first; sample < last; sample++) row[Math.floor(sample / STEPS)]++;
      }
    }
    for (let x = 0; x < width; x++) mask[y * width + x] = Math.round((row[x] * 255) / STEPS ** 2);
  }
  return mask;
}

/** Where a closed outline [x0, y0, x1, y1, ...] crosses the horizontal line at y. */
function crossingsAt(outline, y) {
  const crossings = [];
  for (let i = 0; i < outline.length; i += 2) {
    const [x0, y0] = [outline[i], outline[i + 1]];
    const [x1, y1] = [outline[(i + 2) % outline.length], outline[(i + 3) % outline.length]];
    if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) / (y1 - y0)) * (x1 - x0));
  }
  return crossings;
}

/**
 * What another camera in another light would have done. In linear light: exposure in stops, temperature and tint as
 * stops between red and blue and of green, saturation round the luminance. On the display's scale: contrast round
 * middle gray, then gamma.
 */
function restyle(pixels, mask, { exposure = 0, temperature = 0, tint = 0, saturation = 1, contrast = 0, gamma = 1 }) {
  const gains = [temperature / 2, -tint / 2, -temperature / 2].map((stops) => 2 ** (exposure + stops));
  const out = Uint8Array.from(pixels);
  for (let i = 0; i < mask.length; i++) {
    if (mask[i] === 0) continue;
    const linear = gains.map((gain, c) => gain * toLinear(pixels[3 * i + c] / 255));
    const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
    for (let c = 0; c < 3; c++) {
      const display = toDisplay(Math.min(1, Math.max(0, luminance + saturation * (linear[c] - luminance))));
      const curved = Math.min(1, Math.max(0, 0.5 + (display - 0.5) * (1 + contrast))) ** gamma;
      const from = pixels[3 * i + c];
      out[3 * i + c] = Math.round(from + (mask[i] / 255) * (255 * curved - from));
    }
  }
  return out;
}

function toLinear(v) {
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
}

function toDisplay(v) {
  return v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055;
}

function psnr(a, b) {
  const error = a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length;
  return 10 * Math.log10(255 ** 2 / error);
}

function credits(table) {
  const rows = table.map(({ name, title, photo, author, year, licence, package: source }) => {
    const [text, link] = LICENCES[licence];
    return [`\`${name}\``, title, `\`${photo}\``, `${author}, ${year}`, `[${text}](${link})`, `\`${source}\``];
  });
  const head = ["example", "what it shows", "photograph", "author", "licence", "package"];
  const widths = head.map((title, k) => Math.max(title.length, ...rows.map((row) => row[k].length)));
  const line = (cells) => `| ${cells.map((cell, k) => cell.padEnd(widths[k])).join(" | ")} |`;
  const grid = [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
  return `# Credits

The pictures here are made from photographs by others, taken from Debian's packages. Each was cropped and scaled down
(\`NAME_real.jpg\`); in the composite (\`NAME.png\` or \`NAME.jpg\`) the colours inside the mask (\`NAME_mask.png\`) were
changed. The changed pictures are under the licence of the photograph they come from, not under this project's.
Made by \`scripts/make_examples.mjs\`, which also writes this file.

${grid.join("\n")}
`;
}
