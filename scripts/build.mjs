/**
 * Builds dist/: `index.js` (browser-safe, everything bundled), `node.js` and `cli.js` (packages left to Node), the
 * repository's own demo (`demo.js`), training (`train.js`) and demo page (`web/`), and the type declarations. `--js-only` leaves the
 * declarations out, for the commands that only want to run.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildShaders } from "./build_shaders.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
const typesToo = !process.argv.includes("--js-only");

buildShaders();
if (typesToo) rmSync(dist, { recursive: true, force: true });
const common = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  target: "es2022",
  outdir: dist,
  sourcemap: true,
  logLevel: "warning",
};
const node = { ...common, platform: "node", packages: "external" };
await Promise.all([
  build({ ...common, entryPoints: ["src/index.ts"], platform: "browser" }),
  build({ ...node, entryPoints: { node: "src/node.ts", demo: "examples/demo.ts", train: "train.ts" } }),
  build({ ...node, entryPoints: { loader_worker: "src/data/loader_worker.node.ts" } }),
  build({ ...node, entryPoints: { cli: "src/cli/main.ts" }, banner: { js: "#!/usr/bin/env node" } }),
  build({ ...common, entryPoints: { "web/main": "web/main.ts" }, platform: "browser", minify: true }),
]);
chmodSync(join(dist, "cli.js"), 0o755);
for (const file of ["index.html", "style.css", "icon.svg"]) cpSync(join(root, "web", file), join(dist, "web", file));
if (typesToo) {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
  // TypeScript's own "dom" knows WebGPU from 6 on; before, its types are a package, and the two cannot be mixed.
  mkdirSync(join(dist, "types/before_ts6"));
  for (const name of ["index", "node"]) {
    const text = `/// <reference types="@webgpu/types" />\nexport * from "../${name}.js";\n`;
    writeFileSync(join(dist, "types/before_ts6", `${name}.d.ts`), text);
  }
}
