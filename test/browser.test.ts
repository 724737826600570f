/**
 * The built bundle in a real browser, under a strict content policy: the same numbers as in Node, and the things that
 * only a browser does (downloads, its own adapter, the demo page).
 */
import { readFileSync } from "node:fs";
import type { Browser, JSHandle, Page } from "playwright-core";
import { PNG } from "pngjs";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIBRARY_POLICY, PAGE_FOLDERS, serve } from "../scripts/serve.mjs";
import * as s2am from "../src/index.js";
import { DEFAULT_WEIGHTS, packageFile } from "../src/node.js";
import { findChromium, launchChromium } from "./helpers/chromium.js";
import { testDevice } from "./helpers/device.js";

type Library = typeof s2am;
type Served = Awaited<ReturnType<typeof serve>>;

const SIZE = 256;
const WEIGHTS = "weights/s2ad16.safetensors";
const chromium = findChromium();

/** A smooth scene with a little texture, and a disc in it that is too warm; RGBA and [H, W, 4] of RGB and mask. */
function makePicture() {
  const image = new Uint8ClampedArray(4 * SIZE * SIZE);
  const mask = new Uint8ClampedArray(4 * SIZE * SIZE);
  for (let i = 0; i < SIZE * SIZE; i++) {
    const [x, y] = [i % SIZE, Math.floor(i / SIZE)];
    const inside = Math.hypot(x - 140, y - 110) < 60;
    const texture = 12 * Math.sin(x / 3) * Math.cos(y / 5);
    const warm = inside ? 40 : 0;
    image.set([90 + x / 4 + texture + warm, 80 + y / 3 + texture, 140 - x / 4 + texture - warm, 255], 4 * i);
    mask.set([inside ? 255 : 0, inside ? 255 : 0, inside ? 255 : 0, 255], 4 * i);
  }
  const planes = Float32Array.from(image, (value, k) => (k % 4 === 3 ? (mask[k - 1] ?? 0) : value) / 255);
  return { image, mask, planes };
}

const picture = makePicture();

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN)));
  return largest;
}

function toPng(data: Uint8ClampedArray): Buffer {
  return PNG.sync.write(Object.assign(new PNG({ width: SIZE, height: SIZE }), { data: Buffer.from(data) }));
}

/** Left and right of the disc's middle: two objects. */
function halves(): readonly [Uint8ClampedArray, Uint8ClampedArray] {
  const half = (isLeft: boolean): Uint8ClampedArray =>
    picture.mask.map((value, k) => (k % 4 === 3 || (k >> 2) % SIZE < 140 === isLeft ? value : 0));
  return [half(true), half(false)];
}
const REFERENCE = { x: 0, y: 192, width: 256, height: 64 };

/** What Node computes on the bundled adapter: the network's own output, and the pictures. */
async function computeInNode() {
  const { device } = await testDevice();
  const harmonizer = await s2am.Harmonizer.load(readFileSync(DEFAULT_WEIGHTS()), { device });
  const { outputs } = await harmonizer.network.run(picture.planes, [1, SIZE, SIZE]);
  const [image, mask] = [picture.image, picture.mask].map((data) => ({ width: SIZE, height: SIZE, data }));
  const result = await harmonizer.harmonize({ image: image as s2am.ImageDataLike, mask });
  const masks = halves().map((data) => ({ width: SIZE, height: SIZE, data }));
  const steered = await harmonizer.harmonize({ image: image as s2am.ImageDataLike, masks }, { reference: REFERENCE });
  await harmonizer.dispose();
  return { y: outputs.y as Float32Array, image: result.image.data, steered: steered.image.data };
}

test("the bundle imports nothing: no package and nothing of Node's", () => {
  const { importedFiles } = ts.preProcessFile(readFileSync(packageFile("dist/index.js"), "utf8"), true, true);
  expect(importedFiles.map(({ fileName }) => fileName)).toEqual([]);
});

describe.skipIf(!chromium)("in Chromium", () => {
  let browser: Browser;
  let inNode: Awaited<ReturnType<typeof computeInNode>>;

  beforeAll(async () => {
    browser = await launchChromium(chromium ?? "");
    inNode = await computeInNode();
  });
  afterAll(() => browser?.close());

  /** Opens a page and fails the test on whatever it complains of, breaches of the content policy among it. */
  async function visit(url: string, body: (page: Page) => Promise<void>): Promise<void> {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      const expected = message.text().includes("status of 404"); // the browser logs it, the library tells it
      if (message.type() === "error" && !expected) complaints.push(message.text());
    });
    await page.goto(url);
    await body(page);
    await page.close();
    expect(complaints).toEqual([]);
  }

  describe("the library", () => {
    let server: Served;

    beforeAll(async () => {
      server = await serve({
        folders: { "/weights/": packageFile("weights"), "/": packageFile("dist") },
        policy: LIBRARY_POLICY,
        routes: {
          "/": (response) => {
            response.setHeader("content-type", "text/html");
            response.end('<!doctype html><script type="module" src="page.js"></script>');
          },
          "/page.js": (response) => {
            response.setHeader("content-type", "text/javascript");
            response.end('import * as s2am from "./index.js"; globalThis.s2am = s2am;');
          },
          "/endless": (response) => {
            response.setHeader("content-length", 1e9);
            response.write(Buffer.alloc(1 << 16));
          },
        },
      });
    });
    afterAll(() => server?.close());

    const withLibrary = (body: (library: JSHandle<Library>) => Promise<void>): Promise<void> =>
      visit(server.url, async (page) => {
        await page.waitForFunction(() => "s2am" in globalThis);
        await body(await page.evaluateHandle(() => (globalThis as unknown as { s2am: Library }).s2am));
      });

    test("harmonizes as in Node, on the browser's own adapter, and gives everything back", async () => {
      await withLibrary(async (library) => {
        const { image, downloads, stages, left, lost } = await library.evaluate(
          async ({ Harmonizer }, { weights, size, picture }) => {
            const downloads: { done: number; total: number }[] = [];
            const stages = new Set<string>();
            const harmonizer = await Harmonizer.load(weights, {
              onProgress: ({ done, total }) => downloads.push({ done, total }),
            });
            const { memory, device } = harmonizer.network.runtime;
            const { image } = await harmonizer.harmonize(
              { image: new ImageData(picture.image, size, size), mask: new ImageData(picture.mask, size, size) },
              { onProgress: ({ stage }) => stages.add(stage) },
            );
            await harmonizer.dispose();
            const { reason } = await device.lost;
            return { image: image.data, downloads, stages: [...stages], left: memory.liveBytes, lost: reason };
          },
          { weights: WEIGHTS, size: SIZE, picture },
        );
        expect(largestDifference(image, inNode.image)).toBeLessThanOrEqual(1);
        expect(largestDifference(image, picture.image)).toBeGreaterThan(2);
        const bytes = readFileSync(DEFAULT_WEIGHTS()).length;
        expect(downloads.at(-1)).toEqual({ done: bytes, total: bytes });
        expect(stages.sort()).toEqual(["pipelines", "weights"]);
        expect({ left, lost }).toEqual({ left: 0, lost: "destroyed" });
      });
    });

    test("computes Node's numbers on a device of the caller's with default limits, and leaves it open", async () => {
      await withLibrary(async (library) => {
        const { y, isOpen } = await library.evaluate(
          async ({ Harmonizer }, { weights, size, planes }) => {
            const adapter = await navigator.gpu.requestAdapter();
            // SwiftShader is slow at the kernels with barriers, which it would get without subgroups.
            const device = await adapter?.requestDevice({ requiredFeatures: ["subgroups"] });
            if (!device) throw new Error("no device");
            const harmonizer = await Harmonizer.load(weights, { device });
            const { outputs } = await harmonizer.network.run(planes, [1, size, size]);
            await harmonizer.dispose();
            const isOpen = await Promise.race([
              device.lost.then(() => false),
              device.queue.onSubmittedWorkDone().then(() => true),
            ]);
            device.destroy();
            return { y: outputs.y, isOpen };
          },
          { weights: WEIGHTS, size: SIZE, planes: picture.planes },
        );
        expect(largestDifference(y ?? [], inNode.y)).toBeLessThanOrEqual(1e-4);
        expect(isOpen).toBe(true);
      });
    });

    test("a download is aborted at once, and its failures are told by their type", async () => {
      await withLibrary(async (library) => {
        const errors = await library.evaluate(async ({ Harmonizer, S2amError }) => {
          const codeOf = (error: unknown): string =>
            error instanceof S2amError ? `${error.code} ${error.message}` : `${error}`;
          const controller = new AbortController();
          const aborted = await Harmonizer.load("endless", {
            signal: controller.signal,
            onProgress: () => controller.abort(),
          }).catch(codeOf);
          return [
            aborted,
            await Harmonizer.load("nowhere").catch(codeOf),
            await Harmonizer.load("index.js").catch(codeOf),
          ];
        });
        expect(errors).toEqual([
          "ABORTED endless: the download was aborted by the caller",
          "INPUT nowhere: the weights could not be fetched (HTTP 404)",
          expect.stringMatching(/^WEIGHTS index\.js: /),
        ]);
      });
    });
  });

  describe("the demo page", () => {
    let server: Served;

    beforeAll(async () => {
      server = await serve({ folders: PAGE_FOLDERS });
    });
    afterAll(() => server?.close());

    const setPicture = (page: Page, slot: string, data: Uint8ClampedArray): Promise<void> =>
      page.setInputFiles(`#${slot}`, { name: `${slot}.png`, mimeType: "image/png", buffer: toPng(data) });

    async function harmonize(page: Page): Promise<Buffer> {
      await page.click("#harmonize");
      const download = page.locator("#download");
      await download.waitFor({ timeout: 60_000 });
      const [saved] = await Promise.all([page.waitForEvent("download"), download.click()]);
      return PNG.sync.read(readFileSync(await saved.path())).data;
    }

    test("tells errors, is cancelled, harmonizes as Node does, and at strength 0 changes nothing", async () => {
      await visit(server.url, async (page) => {
        await setPicture(page, "composite", picture.image);
        await page.click("#harmonize");
        await page.waitForFunction(() => document.querySelector("#error")?.textContent !== "");
        expect(await page.textContent("#error")).toContain("give a mask");

        await setPicture(page, "mask", picture.mask);
        await page.evaluate(() => {
          for (const id of ["harmonize", "cancel"]) document.getElementById(id)?.click();
        });
        await page.waitForFunction(() => document.querySelector("#status")?.textContent === "Cancelled.");
        expect(largestDifference(await harmonize(page), inNode.image)).toBeLessThanOrEqual(1);
        await page.fill("#strength", "0");
        const [unchanged] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
        const saved = PNG.sync.read(readFileSync(await unchanged.path())).data;
        expect(largestDifference(saved, picture.image)).toBe(0);
      });
    });

    test("two objects, and a reference drawn with the pointer: as in Node", async () => {
      await visit(server.url, async (page) => {
        await setPicture(page, "composite", picture.image);
        // A dialog hands files over in an order of its own: the numbers count.
        const files = halves().map((data, k) => ({
          name: `m${k + 1}.png`,
          mimeType: "image/png",
          buffer: toPng(data),
        }));
        await page.setInputFiles("#mask", files.reverse());
        await page.waitForSelector("#composite-tile.filled");
        await page.waitForSelector("#mask-tile.filled");
        expect(await page.textContent("#mask-name")).toMatch(/^m1\.png, 256 × 256; m2\.png/);

        await page.fill("#reference", "1, 2, three, 4");
        await page.click("#harmonize");
        await page.waitForFunction(() => document.querySelector("#error")?.textContent !== "");
        expect(await page.textContent("#error")).toContain("four whole numbers");

        await page.click("#draw-reference");
        const box = await page.locator("#before").boundingBox();
        if (!box) throw new Error("the canvas is not shown");
        const at = (x: number, y: number): [number, number] => [
          box.x + (x / SIZE) * box.width,
          box.y + (y / SIZE) * box.height,
        ];
        const { x, y, width, height } = REFERENCE;
        await page.mouse.move(...at(x, y));
        await page.mouse.down();
        await page.mouse.move(...at(x + width, y + height - 8));
        await page.mouse.move(...at(x + width, y + height));
        await page.mouse.up();
        expect(await page.inputValue("#reference")).toBe([x, y, width, height].join(", "));

        const after = await harmonize(page);
        expect(largestDifference(after, inNode.steered)).toBeLessThanOrEqual(1);
        expect(largestDifference(after, inNode.image)).toBeGreaterThan(2);
      });
    });

    test("takes the mask from an RGBA picture, and the background from its transparent pixels", async () => {
      await visit(server.url, async (page) => {
        const alpha = picture.image.map((value, k) => (k % 4 === 3 ? (picture.mask[k - 1] ?? 0) : value));
        await setPicture(page, "composite", alpha);
        expect(largestDifference(await harmonize(page), inNode.image)).toBeLessThanOrEqual(1);
      });
    });
  });
});
