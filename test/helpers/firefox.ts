/** A headless Firefox with WebGPU (wgpu and naga) on lavapipe: the one of `FIREFOX`, else the system's. */
import puppeteer, { type Browser } from "puppeteer-core";
import { findBrowser } from "./find_browser.js";

/** The browser's path, or null. */
export const findFirefox = (): string | null =>
  findBrowser("Firefox", ["firefox-esr", "firefox"], "FIREFOX", "firefox-esr");

/** @param driver the manifest of the Vulkan driver that it is to use */
export const launchFirefox = (executablePath: string, driver: string): Promise<Browser> =>
  puppeteer.launch({
    browser: "firefox",
    executablePath,
    headless: true,
    timeout: 300_000,
    protocolTimeout: 600_000,
    env: { ...process.env, VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver },
    extraPrefsFirefox: {
      "dom.webgpu.enabled": true,
      "gfx.webgpu.ignore-blocklist": true, // software adapters are on it
      "app.update.enabled": false,
      "datareporting.policy.dataSubmissionEnabled": false,
    },
  });
