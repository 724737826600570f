/**
 * `npm run bench:resolution`: what a working size costs and gives. Photographs of several megapixels are harmonized at
 * several working sizes and at their own, each run in a process of its own, and the results compared.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { basename, dirname, join, parse, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { numberBetween } from "../../../src/cli/app.js";
import { InputError, S2amError } from "../../../src/errors.js";
import { encodeImage } from "../../../src/image/codec.node.js";
import { assertFolder, writeFileAtomic } from "../../../src/io/file_write.node.js";
import { DEFAULT_WEIGHTS, packageFile, packageVersion } from "../../../src/package.node.js";
import { findCases, LEAST_MEGAPIXELS, MOST_MEGAPIXELS } from "./cases.js";
import { type Failure, measureCase, type Row, type Size } from "./measure.js";
import { zonesOf } from "./measures.js";
import { pageOf } from "./page.js";
import { stripOf } from "./strip.js";
import { markdownOf, type Report, summarize } from "./summary.js";

interface Options {
  readonly photos: string;
  readonly output?: string;
  readonly sizes: readonly number[];
  readonly limit: number;
  readonly seed: number;
  readonly weights: string;
  readonly adapter?: string;
  readonly json?: boolean;
}

function sizesOf(text: string): number[] {
  const sizes = text.split(",").map((one) => (one.trim() === "" ? Number.NaN : Number(one)));
  if (sizes.some((size) => !Number.isInteger(size) || size < 16) || new Set(sizes).size < sizes.length) {
    throw new InvalidArgumentError("expected different whole numbers from 16, separated by commas.");
  }
  return sizes.sort((a, b) => a - b);
}

const program = new Command("npm run bench:resolution --")
  .description("compare working sizes on large photographs: quality, halos, banding, time and memory")
  .requiredOption(
    "--photos <dir>",
    `photographs of ${LEAST_MEGAPIXELS} to ${MOST_MEGAPIXELS} megapixels, to make composites of; or composites as NAME.jpg, NAME_mask.png, NAME_real.jpg`,
  )
  .option(
    "--output <file>",
    "JSON; a table (.md), a page (.html) and strips (_NAME.jpg) go beside it (default: out/resolution.json)",
  )
  .option(
    "--sizes <pixels>",
    "working sizes, separated by commas; the largest that fits comes besides",
    sizesOf,
    [256, 384, 512, 1024],
  )
  .option("--limit <n>", "use so many pictures, the first by name", numberBetween(1, 1e6, "integer"), 10)
  .option("--seed <n>", "of the composites that are made", numberBetween(0, 2 ** 31, "integer"), 1)
  .option("--weights <file>", ".safetensors, .pth or .pth.tar", DEFAULT_WEIGHTS())
  .option("--adapter <name>", "as of s2am (also S2AM_ADAPTER)")
  .option("--json", "print the JSON on stdout instead of the table")
  .exitOverride();

const note = (line: string): void => void process.stderr.write(`${line}\n`);

async function main(options: Options, folder: string): Promise<void> {
  const output = resolve(options.output ?? packageFile("out", "resolution.json"));
  if (options.output === undefined) mkdirSync(dirname(output), { recursive: true });
  await assertFolder(dirname(output));
  const cases = await findCases(options.photos, options.limit, options.seed, folder);
  const child = join(dirname(fileURLToPath(import.meta.url)), "child.mjs");
  const { name: stem, dir } = parse(output);
  const beside = (ending: string): string => join(dir, `${stem}${ending}`);
  const rows: Row[] = [];
  const failures: Failure[] = [];
  for (const one of cases) {
    const { sizes, weights, adapter } = options;
    const measured = await measureCase(one, { sizes, weights, adapter, child, folder, note });
    rows.push(...measured.rows);
    failures.push(...measured.failures);
    const strip = stripOf(measured.pictures, zonesOf(measured.pictures.mask));
    await writeFileAtomic(beside(`_${one.name}.jpg`), await encodeImage(strip, "jpeg", { quality: 90 }));
  }
  if (rows.length === 0) throw new InputError(`${options.photos}: nothing could be measured: ${failures[0]?.failed}`);
  const sizes: readonly Size[] = [...options.sizes, "largest"];
  const report: Report = {
    command: `npm run bench:resolution -- --photos DIR --sizes ${options.sizes.join(",")} --limit ${options.limit} --seed ${options.seed}`,
    date: new Date().toISOString(),
    versions: { "s2am-webgpu": packageVersion(), node: process.version },
    adapter: rows[0]?.adapter ?? "none",
    weights: basename(options.weights),
    summary: summarize(rows, sizes),
    rows,
    failures,
  };
  const json = `${JSON.stringify(report, null, 2)}\n`;
  const markdown = markdownOf(report);
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  await writeFileAtomic(output, encode(json));
  await writeFileAtomic(beside(".md"), encode(markdown));
  await writeFileAtomic(beside(".html"), encode(pageOf(report)));
  process.stdout.write(options.json ? json : markdown);
}

const folder = mkdtempSync(join(tmpdir(), "s2am-resolution-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(128 + constants.signals[signal]));
}
try {
  program.parse();
  await main(program.opts<Options>(), folder);
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else if (error instanceof S2amError) {
    note(`bench:resolution: ${error.message}`);
    process.exitCode = 2;
  } else throw error;
}
