/**
 * Builds dist/: `index.js` (browser-safe, everything bundled), `node.js` and `cli.js` (packages left to Node), and the
 * type declarations. `--js-only` leaves the declarations out, for the commands that only want to run.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildShaders } from "./build_shaders.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");
const typesToo = !process.argv.includes("--js-only");

buildShaders();
if (typesToo) rmSync(dist, { recursive: true, force: true });
const common = { absWorkingDir: root, bundle: true, format: "esm", target: "es2022", outdir: dist, sourcemap: true, logLevel: "warning" };
await Promise.all([
  build({ ...common, entryPoints: ["src/index.ts"], platform: "browser" }),
  build({ ...common, entryPoints: { node: "src/node.ts", demo: "examples/demo.ts" }, platform: "node", packages: "external" }),
  build({ ...common, entryPoints: { cli: "src/cli/main.ts" }, platform: "node", packages: "external", banner: { js: "#!/usr/bin/env node" } }),
]);
chmodSync(join(dist, "cli.js"), 0o755);
if (typesToo) execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" });
