/** `npm start`: harmonizes the example composites with the weights in the box and compares them with the real photographs. */
import { mkdir, readdir } from "node:fs/promises";
import { join, parse, relative } from "node:path";
import { exitNow } from "../src/gpu/libc.node.js";
import { maskFromImage } from "../src/image/mask.js";
import { compareStrip, maskToImage } from "../src/image/strip.js";
import { writeFileAtomic } from "../src/io/file_write.node.js";
import {
  type AdapterChoice,
  DEFAULT_WEIGHTS,
  decodeImage,
  encodeImage,
  foregroundPsnr,
  type Image,
  type Mask,
  openDevice,
  openHarmonizer,
  packageFile,
  psnr,
} from "../src/node.js";

interface Example {
  readonly name: string;
  readonly composite: Image;
  readonly mask: Mask;
  readonly real: Image;
}

async function readExamples(folder: string): Promise<Example[]> {
  const files = await readdir(folder);
  const names = files.filter((file) => file.endsWith("_mask.png")).map((file) => file.replace("_mask.png", ""));
  const named = (stem: string): string => {
    const file = files.find((candidate) => parse(candidate).name === stem);
    if (!file) throw new Error(`examples: ${stem} is missing`);
    return join(folder, file);
  };
  return Promise.all(
    names.sort().map(async (name) => ({
      name,
      composite: await decodeImage(named(name)),
      mask: maskFromImage(await decodeImage(named(`${name}_mask`))),
      real: await decodeImage(named(`${name}_real`)),
    })),
  );
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const db = (value: number): string => value.toFixed(2).padStart(6);

async function main(): Promise<void> {
  const examples = await readExamples(packageFile("examples"));
  const output = packageFile("out");
  await mkdir(output, { recursive: true });
  const { device, description, close } = await openDevice({
    adapter: process.env.S2AM_ADAPTER as AdapterChoice | undefined,
  });
  const { harmonizer } = await openHarmonizer(DEFAULT_WEIGHTS(), { device, software: description.isSoftware });
  const { arch, width } = harmonizer.network.model.config;
  console.log(`${arch} of width ${width}; PSNR against the real photograph, whole picture and (masked region)`);
  console.log(
    `${"picture".padEnd(12)} ${"size".padEnd(11)} ${"before dB".padStart(16)} ${"after dB".padStart(16)} ${"model ms".padStart(9)} ${"total ms".padStart(9)}`,
  );
  const rows: { before: number; after: number; model: number; total: number }[] = [];
  for (const { name, composite, mask, real } of examples) {
    const { image, modelMs, totalMs } = await harmonizer.harmonize({ image: composite, mask });
    const [before, after] = [psnr(composite, real), psnr(image, real)];
    rows.push({ before, after, model: modelMs, total: totalMs });
    const inside = (picture: Image): string => `(${db(foregroundPsnr(picture, real, mask))})`;
    console.log(
      `${name.padEnd(12)} ${`${image.width}x${image.height}`.padEnd(11)} ${db(before)} ${inside(composite)} ${db(after)} ${inside(image)} ${modelMs.toFixed(1).padStart(9)} ${totalMs.toFixed(1).padStart(9)}`,
    );
    await writeFileAtomic(join(output, `${name}.png`), await encodeImage(image, "png"));
    const strip = compareStrip([composite, maskToImage(mask), image, real], { maxPanel: 384 });
    await writeFileAtomic(join(output, `${name}_strip.png`), await encodeImage(strip, "png"));
  }
  const of = (key: keyof (typeof rows)[number]): number => mean(rows.map((row) => row[key]));
  const better = rows.filter(({ before, after }) => after > before).length;
  console.log(
    `mean PSNR ${of("before").toFixed(2)} dB before, ${of("after").toFixed(2)} dB after; better in ${better} of ${rows.length}; model ${of("model").toFixed(1)} ms, end to end ${of("total").toFixed(1)} ms`,
  );
  console.log(
    `pictures: ${relative(process.cwd(), output) || output}/NAME.png, and NAME_strip.png (composite, mask, harmonized, real)`,
  );
  await harmonizer.dispose();
  await close();
}

process.on("SIGINT", () => exitNow(130));
await main();
