/** `npm run bench:isa`: bundles the bench, and what runs on the card that is not there, and starts it. See `--help`. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { buildShaders } from "../../scripts/build_shaders.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const cache = join(root, "node_modules", ".cache");
mkdirSync(cache, { recursive: true });
// A folder of its own, so that two may run at once; inside the project, so that packages resolve.
const out = mkdtempSync(join(cache, "s2am-isa-"));
process.on("exit", () => rmSync(out, { recursive: true, force: true }));
// A terminal's Ctrl-C reaches the child too, which ends by it; this process then follows.
const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
let child = null;
for (const signal of signals) process.on(signal, () => (child ? child.kill(signal) : process.exit(130)));

buildShaders();
await build({
  absWorkingDir: root,
  entryPoints: ["main", "child"].map((name) => join(here, `${name}.ts`)),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  logLevel: "warning",
});
child = spawn(process.execPath, [join(out, "main.mjs"), ...process.argv.slice(2)], { stdio: "inherit" });
child.on("close", (code) => process.exit(code ?? 1));
