/** What `npm pack` would put into the package, as far as it is built. (Installing and using it: package.long.test.ts.) */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { packageFile } from "../src/package.node.js";

const MOST_BYTES = 15e6;

interface PackReport {
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

function dryPack(): PackReport {
  const json = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: packageFile(),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [report] = JSON.parse(json) as [PackReport];
  return report;
}

test("the package holds the program, weights and shaders, and nothing of the workshop", () => {
  const { files, unpackedSize } = dryPack();
  const paths = files.map(({ path }) => path);
  for (const expected of [
    "dist/cli.js",
    "dist/index.js",
    "dist/node.js",
    "dist/loader_worker.js",
    "weights/s2ad16.safetensors",
    "shaders/conv2d_direct.wgsl",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
  ]) {
    expect(paths).toContain(expected);
  }
  const known =
    /^(dist\/((index|node|cli|loader_worker)\.js|index\.js\.map|types\/.*\.d\.ts)|weights\/.*|shaders\/.*\.wgsl|(README|CHANGELOG)\.md|LICENSE|package\.json)$/;
  expect(paths.filter((path) => !known.test(path))).toEqual([]);
  expect(unpackedSize).toBeLessThan(MOST_BYTES);
});

test("the command can be run, and every export's code is there", () => {
  const { bin, exports } = JSON.parse(readFileSync(packageFile("package.json"), "utf8"));
  expect(statSync(packageFile(bin.s2am)).mode & 0o111).toBe(0o111);
  expect(readFileSync(packageFile(bin.s2am), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  for (const entry of [exports["."], exports["./node"]]) expect(existsSync(packageFile(entry.default))).toBe(true);
});
