/** The loader: the same bits from any position and any number of threads, and an end, never a wait, when something fails. */
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { pathToFileURL } from "node:url";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Entry } from "../src/data/dataset.js";
import { type Batch, Loader, type LoaderOptions, type SkippedPicture } from "../src/data/loader.node.js";
import { openDataset } from "../src/data/open_dataset.node.js";
import type { DataPosition } from "../src/data/order.js";
import { SamplePool } from "../src/data/sample_pool.node.js";
import { AbortedError, InputError } from "../src/errors.js";
import { maskFromImage } from "../src/image/mask.js";
import { resizeToRgb } from "../src/image/resize.js";
import { packageFile } from "../src/package.node.js";
import { DataFolder, triple } from "./helpers/datasets.js";

const data = new DataFolder();
const SCRIPT = pathToFileURL(packageFile("dist", "loader_worker.js"));
const START: DataPosition = { epoch: 0, index: 0 };
let entries: readonly Entry[] = [];

beforeAll(async () => {
  ({ entries } = await openDataset(await data.flat("seven", 7)));
});

const open: Loader[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((loader) => loader.close()));
});

function loaderOf(options: Partial<LoaderOptions> = {}): Loader {
  const loader = new Loader({ train: entries, size: 16, batch: 2, seed: 3, ...options });
  open.push(loader);
  return loader;
}

async function take(loader: Loader, count: number, from = START): Promise<Batch[]> {
  const taken: Batch[] = [];
  for await (const batch of loader.batches(from)) if (taken.push(batch) === count) break;
  return taken;
}

/** Seven pictures, of which `bad` cannot be decoded to the end. */
async function spoiled(folder: string, bad: readonly number[]): Promise<readonly Entry[]> {
  const root = await data.flat(folder, 7);
  const { entries: found } = await openDataset(root);
  for (const i of bad) {
    const whole = readFileSync(data.path(folder, `x${i}_real.png`));
    data.write(`${folder}/x${i}_real.png`, whole.subarray(0, whole.length >> 1));
  }
  return found;
}

describe("batches", () => {
  test("hold NHWC pixels, mask and names, each example once an epoch", async () => {
    const loader = loaderOf();
    expect(loader).toMatchObject({ stepsPerEpoch: 3, pictures: 7, threads: 0 });
    const taken = await take(loader, 7);
    expect(taken.map(({ epoch, index, next }) => [epoch, index, next.epoch, next.index])).toEqual([
      [0, 0, 0, 2],
      [0, 2, 0, 4],
      [0, 4, 1, 0],
      [1, 0, 1, 2],
      [1, 2, 1, 4],
      [1, 4, 2, 0],
      [2, 0, 2, 2],
    ]);
    for (const { x, target } of taken) expect([x.length, target.length]).toEqual([2 * 16 * 16 * 4, 2 * 16 * 16 * 3]);
    for (const epoch of [taken.slice(0, 3), taken.slice(3, 6)])
      expect(new Set(epoch.flatMap(({ names }) => names)).size).toBe(6);
    const [first] = taken;
    // Where the mask is 0 the composite is the photograph.
    for (let i = 0; first && i < 2 * 256; i++)
      if (first.x[4 * i + 3] === 0)
        expect(first.x.slice(4 * i, 4 * i + 3)).toEqual(first.target.slice(3 * i, 3 * i + 3));
  });

  test("without augmentation are the pictures, resized", async () => {
    const [batch] = await take(loaderOf({ augment: false, batch: 1 }), 1);
    const number = Number(/\d/.exec(batch?.names[0] ?? "")?.[0]);
    expect(batch?.target).toEqual(resizeToRgb(triple(number).target, 16, 16).data);
    const large = await take(loaderOf({ augment: false, batch: 1, size: 64 }), 1);
    expect(large[0]?.x).toHaveLength(64 * 64 * 4);
  });

  test("go on from any position to the same bits", async () => {
    const unbroken = await take(loaderOf(), 8);
    for (const [at, batch] of unbroken.entries()) {
      const { epoch, index } = batch;
      expect(await take(loaderOf(), 8 - at, { epoch, index })).toEqual(unbroken.slice(at));
    }
    expect(await take(loaderOf({ seed: 4 }), 1)).not.toEqual(unbroken.slice(0, 1));
  });

  test("are the same in threads as in this one, from memory as from files", async () => {
    const here = await take(loaderOf({ cacheBytes: 0 }), 10);
    expect(await take(loaderOf({ cacheBytes: 1 << 30 }), 10)).toEqual(here);
    expect(await take(loaderOf({ cacheBytes: 20_000, ahead: 0 }), 10)).toEqual(here);
    for (const threads of [1, 2]) {
      const loader = loaderOf({ threads, script: SCRIPT, cacheBytes: 30_000 });
      expect(loader.threads).toBe(threads);
      expect(await take(loader, 10)).toEqual(here);
    }
  });

  test("larger than the set go round it, each time in another variation", async () => {
    const loader = loaderOf({ batch: 16 });
    expect(loader.stepsPerEpoch).toBe(1);
    const [first, second] = await take(loader, 2);
    expect(first?.names.slice(7, 14)).toEqual(first?.names.slice(0, 7));
    expect(first?.x.slice(0, 1024)).not.toEqual(first?.x.slice(7 * 1024, 8 * 1024));
    expect([second?.epoch, second?.index]).toEqual([1, 0]);
  });

  test("are read only a little ahead of whom they are for", async () => {
    const reads: string[] = [];
    const counted = entries.map((entry) => ({
      ...entry,
      get composite() {
        reads.push(entry.name);
        return entry.composite;
      },
    }));
    const batches = loaderOf({ train: counted, ahead: 1, cacheBytes: 0 }).batches(START);
    await batches.next();
    await new Promise((resolve) => setTimeout(resolve, 50));
    const read = reads.length;
    await batches.next();
    expect(read).toBeLessThan(3 * 4 * 2); // a read looks at the name a few times
    await batches.return(undefined as never);
  });
});

describe("a picture that cannot be read", () => {
  test("is named once and counted, and the next one takes its place, the same on resuming", async () => {
    const train = await spoiled("spoiled", [1, 4]);
    const skipped: SkippedPicture[] = [];
    const whole = await take(loaderOf({ train, onSkipped: (one) => skipped.push(one) }), 9);
    expect(skipped.map(({ name, count }) => [name, count]).sort()).toHaveLength(2);
    expect(skipped.map(({ name }) => name).sort()).toEqual(["x1.png", "x4.png"]);
    expect(skipped.map(({ count }) => count)).toEqual([1, 2]);
    expect(skipped[0]?.message).toMatch(/x[14]_real\.png: (truncated|damaged) PNG/);
    expect(whole.flatMap(({ names }) => names)).not.toContain("x1.png");
    const { epoch, index } = whole[4] ?? START;
    expect(await take(loaderOf({ train }), 5, { epoch, index })).toEqual(whole.slice(4));
    const threads = loaderOf({ train, threads: 2, script: SCRIPT });
    expect(await take(threads, 9)).toEqual(whole);
  });

  test("is an error where that was asked for, and where there is no other", async () => {
    const train = await spoiled("strict", [2]);
    const message = /x2_real\.png: (truncated|damaged) PNG/;
    await expect(take(loaderOf({ train, strict: true }), 4)).rejects.toThrow(message);
    await expect(take(loaderOf({ train, strict: true, threads: 1, script: SCRIPT }), 4)).rejects.toThrow(message);
    const none = await spoiled("none", [0, 1, 2, 3, 4, 5, 6]);
    const hopeless = take(loaderOf({ train: none }), 1);
    await expect(hopeless).rejects.toThrow(/^none of the 7 pictures can be read: .*_real\.png/);
    await expect(hopeless).rejects.toBeInstanceOf(InputError);
    expect(() => loaderOf({ train: [] })).toThrow(InputError);
  });
});

test("validation pictures are whole and in order, in threads as here", async () => {
  for (const options of [{}, { threads: 2, script: SCRIPT }]) {
    const { validation } = loaderOf({ val: entries.slice(2, 6), size: 20, ...options });
    expect(validation.length).toBe(4);
    for (let i = 0; i < 4; i++) {
      const { composite, target } = triple(i + 2);
      const sample = await validation.load(i);
      expect(sample.name).toBe(`x${i + 2}.png`);
      expect(sample.composite.data).toEqual(resizeToRgb(composite, 20, 20).data);
      expect(sample.target.data).toEqual(resizeToRgb(target, 20, 20).data);
      expect(sample.mask).toMatchObject({ width: 20, height: 20, channels: 1 });
    }
    expect((await validation.load(1)).name).toBe("x3.png");
  }
});

test("what a protocol of evaluation looks at is 8-bit, in threads as here", async () => {
  for (const pool of [new SamplePool(), new SamplePool({ threads: 1, script: SCRIPT })]) {
    const sample = await pool.read(0, entries[0] as Entry, { kind: "protocol", protocol: "iharmony4" });
    await pool.close();
    expect(sample.composite).toMatchObject({ width: 256, height: 256 });
    expect(sample.composite.data.every((value) => Math.abs(value * 255 - Math.round(value * 255)) < 1e-4)).toBe(true);
    expect(new Set(sample.mask.data)).toEqual(new Set([0, 1]));
  }
});

describe("an end", () => {
  test("comes at once: what is under way and what comes later rejects", async () => {
    for (const options of [{}, { threads: 2, script: SCRIPT }]) {
      const loader = loaderOf({ val: entries, ...options });
      const batches = loader.batches(START);
      await batches.next();
      const pending = [batches.next(), batches.next(), batches.next(), batches.next(), loader.validation.load(0)];
      const outcomes = Promise.allSettled(pending);
      const started = performance.now();
      await loader.close();
      expect(performance.now() - started).toBeLessThan(2000);
      for (const outcome of (await outcomes).slice(3))
        if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(AbortedError);
      await expect(loader.validation.load(1)).rejects.toThrow(AbortedError);
      await expect(take(loader, 1)).rejects.toThrow(AbortedError);
      await loader.close();
    }
  });

  test.each([
    ["cannot be started", "syntax error here", /a thread that reads pictures failed: /],
    ["throws", "throw new Error('as it began')", /a thread that reads pictures failed: as it began/],
    ["ends by itself", "process.exit(7)", /a thread that reads pictures ended by itself \(exit code 7\)/],
    [
      "ends at its first task",
      `import { parentPort } from "node:worker_threads"; parentPort.on("message", () => process.exit(0));`,
      /ended by itself \(exit code 0\)/,
    ],
    [
      "runs out of memory",
      "throw Object.assign(new Error(), { code: 'ERR_WORKER_OUT_OF_MEMORY' })",
      /a thread that reads pictures ran out of memory/,
    ],
    [
      "fails in an unforeseen way",
      `import { parentPort } from "node:worker_threads"; parentPort.on("message", ({ id }) => parentPort.postMessage({ id, error: { code: "", message: "x1: TypeError" } }));`,
      /x1: TypeError/,
    ],
  ])("comes when a thread %s", async (name, source, message) => {
    const file = `${name.replaceAll(" ", "-")}.mjs`;
    data.write(file, source);
    const loader = loaderOf({ threads: 1, script: pathToFileURL(data.path(file)) });
    const error = await take(loader, 1).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
    await expect(take(loader, 1)).rejects.toThrow(message);
  });
});

test("masks come as they are: gray stays soft", async () => {
  const root = await data.flat("soft", 1);
  const { mask } = triple(0);
  const soft = { ...mask, data: mask.data.map((value) => value >> 1) };
  await data.picture("soft/x0_mask.png", soft);
  const { entries: found } = await openDataset(root);
  const sample = await loaderOf({ train: found, val: found, size: 40 }).validation.load(0);
  expect(Math.max(...sample.mask.data)).toBeCloseTo(Math.max(...maskFromImage(soft).data), 6);
});
