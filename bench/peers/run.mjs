/**
 * `npm run bench:peers`: installs the other engines where they are missing, bundles this engine and the bench, and starts
 * it. Install scripts stay off (.npmrc): ONNX Runtime's would download CUDA libraries, which nothing here uses.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildShaders } from "../../scripts/build_shaders.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const modules = join(here, "node_modules");

if (!existsSync(join(modules, ".package-lock.json"))) {
  process.stderr.write("installing the other engines into bench/peers (once; about 600 MB)\n");
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm]] : ["npm", []];
  execFileSync(command, [...args, "ci", "--prefix", here, "--ignore-scripts", "--no-audit", "--no-fund"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}

// Here, packages resolve from bench/peers first and from the project after.
const out = join(modules, ".cache", "s2am-peers");
buildShaders();
const engines = readdirSync(join(here, "engines")).filter((file) => file.endsWith(".ts"));
await build({
  absWorkingDir: root,
  entryPoints: [join(here, "main.ts"), ...engines.map((file) => join(here, "engines", file))],
  outbase: here,
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  splitting: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  logLevel: "warning",
});

const child = spawn(process.execPath, [join(out, "main.mjs"), ...process.argv.slice(2)], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("close", (code) => process.exit(code ?? 1));
