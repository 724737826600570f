/** A headless Chromium with WebGPU on SwiftShader: the one of `CHROMIUM`, else the system's. */
import { type Browser, chromium } from "playwright-core";
import { findBrowser } from "./find_browser.js";

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

/** The browser's path, or null. */
export const findChromium = (): string | null => findBrowser("Chromium", NAMES, "CHROMIUM", "chromium");

export const launchChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: FLAGS, headless: true });
