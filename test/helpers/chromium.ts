/** A headless Chromium with WebGPU on SwiftShader: the one of `CHROMIUM`, else the system's. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const FLAGS = [
  "--no-sandbox", // the tests open nothing but pages of their own, and containers often allow no sandbox
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--no-first-run",
];

/** The browser's path; null when there is none, which is said on the terminal and in CI is an error. */
export function findChromium(): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  const given = process.env.CHROMIUM;
  const found = (given ? [given] : candidates).find(isExecutable);
  if (found) return found;
  const message = given ? `CHROMIUM=${given} is no executable file` : "there is no Chromium on this machine";
  const cure = "install one (apt-get install chromium) or set CHROMIUM to its path";
  if (process.env.CI || given) throw new Error(`${message}, and the browser tests need it: ${cure}`);
  console.warn(`\n*** THE BROWSER TESTS ARE SKIPPED: ${message}. To run them, ${cure}. ***\n`);
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export const launchChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: FLAGS, headless: true });
