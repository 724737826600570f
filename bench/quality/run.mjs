/** `npm run bench:quality`: bundles the comparison and starts it. The command line that it runs is in dist/. */
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const outfile = join(root, "node_modules", ".cache", "s2am-quality", "main.mjs");
await build({
  absWorkingDir: root,
  entryPoints: [join(here, "main.ts")],
  outfile,
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  logLevel: "warning",
});

const child = spawn(process.execPath, [outfile, ...process.argv.slice(2)], { stdio: "inherit", detached: true });
// In a group of its own it gets a terminal's Ctrl-C once, from here.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("close", (code) => process.exit(code ?? 1));
