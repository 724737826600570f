/** `npm run test:deno`: installs Deno beside the project's packages where it is missing (once; about 100 MB), and runs the tests. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
if (!existsSync(join(here, "node_modules", ".package-lock.json"))) {
  process.stderr.write("installing Deno into test/deno (once; about 100 MB)\n");
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm]] : ["npm", []];
  // Its install script only copies the binary, which the tests find where npm put it.
  execFileSync(command, [...args, "ci", "--prefix", here, "--ignore-scripts", "--no-audit", "--no-fund"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
}
const vitest = join(root, "node_modules/vitest/vitest.mjs");
const { status } = spawnSync(
  process.execPath,
  [vitest, "run", "--config", join(root, "vitest.deno.config.ts"), ...process.argv.slice(2)],
  { cwd: root, stdio: "inherit" },
);
process.exit(status ?? 1);
