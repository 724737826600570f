/** The demo page in Firefox, another implementation of WebGPU than Chromium's: its example comes out as in Node. */
import { readFileSync } from "node:fs";
import type { Browser } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PAGE_FOLDERS, serve } from "../scripts/serve.mjs";
import { Harmonizer } from "../src/index.js";
import { DEFAULT_WEIGHTS, decodeImage } from "../src/node.js";
import { testDevice } from "./helpers/device.js";
import { findFirefox, launchFirefox } from "./helpers/firefox.js";
import { findLavapipe } from "./helpers/lavapipe.js";

const [firefox, driver] = [findFirefox(), findLavapipe()];

describe.skipIf(!firefox || !driver)("in Firefox", () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    browser = await launchFirefox(firefox ?? "", driver ?? "");
    server = await serve({ folders: PAGE_FOLDERS });
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  test("the page harmonizes its example as Node does", { timeout: 600_000 }, async () => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await page.goto(server.url);
    await page.waitForSelector("#example:not([disabled])");
    await page.click("#example");
    await page.waitForFunction(
      () => {
        const download = document.getElementById("download");
        return (download !== null && !download.hidden) || document.getElementById("error")?.textContent !== "";
      },
      { timeout: 500_000 },
    );
    const found = await page.evaluate(() => {
      const canvas = document.getElementById("after") as HTMLCanvasElement;
      const data = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      const text = (id: string): string => document.getElementById(id)?.textContent ?? "";
      return { error: text("error"), status: text("status"), width: canvas.width, pixels: Array.from(data) };
    });
    await page.close();
    expect(complaints).toEqual([]);
    expect(found.error).toBe("");

    const { device } = await testDevice();
    const harmonizer = await Harmonizer.load(readFileSync(DEFAULT_WEIGHTS()), { device });
    const image = await decodeImage("examples/table.png");
    const expected = await harmonizer.harmonize({ image, mask: await decodeImage("examples/table_mask.png") });
    await harmonizer.dispose();
    expect(found.width).toBe(image.width);
    let [largest, changed] = [0, 0];
    for (let i = 0; i < image.width * image.height; i++) {
      for (let c = 0; c < 3; c++) {
        const pixel = found.pixels[4 * i + c] ?? Number.NaN;
        const difference = Math.abs(pixel - (expected.image.data[3 * i + c] ?? Number.NaN));
        largest = Math.max(largest, Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference);
        if (pixel !== image.data[3 * i + c]) changed++;
      }
    }
    // Other kernels add up in another order: a value next to a rounding's edge may fall to its other side.
    expect(largest).toBeLessThanOrEqual(1);
    expect(changed).toBeGreaterThan(1000);
  });
});
