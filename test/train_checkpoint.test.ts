/** Checkpoints: what is written is read, damage is found, and a save that fails leaves what was there. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { InputError, WeightsError } from "../src/errors.js";
import { parseSafetensors } from "../src/io/safetensors.js";
import { mulberry32 } from "../src/random.js";
import { CheckpointFolder } from "../src/train/checkpoint.node.js";
import { parseCheckpoint, serializeCheckpoint } from "../src/train/checkpoint_format.node.js";
import { checkpointOf } from "./helpers/checkpoints.js";
import { type Call, failingFs } from "./helpers/failing_fs.js";
import { bundleScript } from "./helpers/run_script.js";

const root = mkdtempSync(join(tmpdir(), "s2am-checkpoints-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const newFolder = (): string => join(root, `run${folders++}`);

const SILENT = (): void => undefined;
const files = (folder: string): string[] => readdirSync(folder).sort();
const nameOf = (step: number): string => `step-${String(step).padStart(9, "0")}.safetensors`;

const LONG = Boolean(process.env.S2AM_LONG);
const FLIPS = LONG ? 50_000 : 2000;
const KILLS = LONG ? 1000 : 20;

describe("the file", () => {
  test("holds every bit of the state, and is a plain safetensors file", () => {
    const checkpoint = checkpointOf(7);
    const bytes = serializeCheckpoint(checkpoint);
    expect([...parseSafetensors(bytes).tensors.keys()].sort()).toEqual(["m/w", "param/w", "v/w"]);
    const { state, tensors } = parseCheckpoint(bytes.slice(), "x");
    expect(state).toEqual(checkpoint.state);
    for (const [key, tensor] of checkpoint.tensors) expect(tensors.get(key)?.data).toEqual(tensor.data);
  });

  test("whatever bit is flipped, it is found", () => {
    const bytes = serializeCheckpoint(checkpointOf(7));
    const draw = mulberry32(1);
    for (let i = 0; i < FLIPS; i++) {
      const broken = bytes.slice();
      const bit = Math.floor(draw() * bytes.length * 8);
      broken[bit >> 3] = (broken[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => parseCheckpoint(broken, "x"), `bit ${bit}`).toThrow(WeightsError);
    }
  });

  test("wherever it is cut, it is found", () => {
    const bytes = serializeCheckpoint(checkpointOf(7, 8));
    for (let end = 0; end < bytes.length; end++) {
      expect(() => parseCheckpoint(bytes.slice(0, end), "x"), `${end} bytes`).toThrow(WeightsError);
    }
  });

  test("arbitrary bytes are refused by name", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(() => parseCheckpoint(bytes, "x.safetensors")).toThrow(/^x\.safetensors: /);
      }),
    );
  });

  test("a state that was changed on purpose, digest and all, is checked again", () => {
    const { state, tensors } = checkpointOf(7);
    const forged = (change: object) => serializeCheckpoint({ state: { ...state, ...change }, tensors });
    expect(() => parseCheckpoint(forged({ config: { ...state.config, batch: 0 } }), "x")).toThrow(
      /training state cannot be read/,
    );
    expect(() => parseCheckpoint(forged({ progress: null }), "x")).toThrow(WeightsError);
    expect(() => parseCheckpoint(forged({ extra: 1 }), "x")).toThrow(WeightsError);
  });
});

describe("the folder", () => {
  test("keeps the last two", async () => {
    const store = new CheckpointFolder(newFolder());
    expect(await store.load(SILENT)).toBeNull();
    for (const step of [0, 10, 20]) await store.save(checkpointOf(step));
    expect(files(store.folder)).toEqual([nameOf(10), nameOf(20)]);
    expect((await new CheckpointFolder(store.folder).load(SILENT))?.state.progress.step).toBe(20);
  });

  test("falls back to the one before, and says why", async () => {
    const store = new CheckpointFolder(newFolder());
    for (const step of [10, 20]) await store.save(checkpointOf(step));
    writeFileSync(join(store.folder, nameOf(20)), readFileSync(join(store.folder, nameOf(20))).subarray(0, 300));
    const warnings: string[] = [];
    const again = new CheckpointFolder(store.folder);
    expect((await again.load((line) => warnings.push(line)))?.state).toEqual(checkpointOf(10).state);
    expect(warnings).toEqual([
      expect.stringMatching(/step-000000020\.safetensors: is damaged.*falling back to step-000000010/),
    ]);
    await again.save(checkpointOf(15));
    expect(files(store.folder)).toEqual([nameOf(10), nameOf(15)]);
  });

  test("all damaged is an error, not a new beginning", async () => {
    const store = new CheckpointFolder(newFolder());
    await store.save(checkpointOf(10));
    writeFileSync(join(store.folder, nameOf(10)), "");
    await expect(new CheckpointFolder(store.folder).load(SILENT)).rejects.toThrow(/no checkpoint can be read/);
  });

  test("what a kill left behind goes with the next save", async () => {
    const store = new CheckpointFolder(newFolder());
    await store.save(checkpointOf(10));
    writeFileSync(join(store.folder, `.${nameOf(20)}.tmp`), "half");
    writeFileSync(join(store.folder, "notes.txt"), "mine");
    expect((await store.load(SILENT))?.state.progress.step).toBe(10);
    await store.save(checkpointOf(30));
    expect(files(store.folder)).toEqual(["notes.txt", nameOf(10), nameOf(30)]);
  });
});

describe("a save that fails", () => {
  /** One save of two, counted: every call of it is made to fail in turn, in every way. */
  const CALLS: [Call, number][] = [
    ["mkdir", 1],
    ["open", 1],
    ["open", 2],
    ["write", 1],
    ["sync", 1],
    ["sync", 2],
    ["close", 1],
    ["close", 2],
    ["rename", 1],
  ];
  const FAULTS = ["ENOSPC", "EIO", "EACCES", "EXDEV"];
  const cases = CALLS.flatMap(([call, nth]) => FAULTS.map((fault) => [call, nth, fault] as const));

  test("makes these calls and no others", async () => {
    const { fs, calls } = failingFs();
    await new CheckpointFolder(newFolder(), fs).save(checkpointOf(1));
    expect(calls).toEqual({ mkdir: 1, open: 2, write: 1, sync: 2, close: 2, rename: 1 });
  });

  test.each([...cases, ["write", 1, "stuck"] as const])(
    "%s %i: %s is a typed error, and the old one loads",
    async (call, nth, fault) => {
      const folder = newFolder();
      await new CheckpointFolder(folder).save(checkpointOf(10));
      const store = new CheckpointFolder(folder, failingFs({ call, nth, fault }).fs);
      await store.load(SILENT);
      await expect(store.save(checkpointOf(20))).rejects.toThrow(InputError);
      await expect(store.save(checkpointOf(20)).catch(() => undefined)).resolves.toBeDefined(); // the fault has passed
      expect((await new CheckpointFolder(folder).load(SILENT))?.state.progress.step).toBe(20);
    },
  );

  test.each(cases)("%s %i: %s leaves a folder that loads", async (call, nth, fault) => {
    const folder = newFolder();
    await new CheckpointFolder(folder).save(checkpointOf(10));
    const store = new CheckpointFolder(folder, failingFs({ call, nth, fault }).fs);
    await store.load(SILENT);
    await expect(store.save(checkpointOf(20))).rejects.toThrow(
      /cannot be written.*step-000000010\.safetensors is kept.*--resume/,
    );
    expect(files(folder)).not.toContain(`.${nameOf(20)}.tmp`);
    const step = (await new CheckpointFolder(folder).load((line) => expect.fail(line)))?.state.progress.step;
    const renamed = (call === "open" || call === "sync" || call === "close") && nth === 2;
    expect(step).toBe(renamed ? 20 : 10);
  });

  test("a write that takes only a part is gone on with", async () => {
    const folder = newFolder();
    await new CheckpointFolder(folder, failingFs({ call: "write", nth: 1, fault: "short" }).fs).save(checkpointOf(10));
    expect((await new CheckpointFolder(folder).load(SILENT))?.state.progress.step).toBe(10);
  });
});

/** @returns the last step that the process said it had saved, before it was killed in the midst of the next */
function saveUntilKilled(script: string, folder: string, milliseconds: number): Promise<number> {
  const child = spawn(process.execPath, [script, folder], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    if (output === "") setTimeout(() => child.kill("SIGKILL"), milliseconds);
    output += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on("close", (_, signal) => {
      if (signal !== "SIGKILL") reject(new Error(`ended by itself: ${output}`));
      resolve(Number([...output.matchAll(/saved (\d+)\n/g)].at(-1)?.[1] ?? 0));
    });
  });
}

describe("SIGKILL at random moments of saving", () => {
  test("the old one or the new one loads, always", async () => {
    const script = await bundleScript(new URL("./helpers/scripts/save_checkpoints.ts", import.meta.url).pathname);
    const folder = newFolder();
    const draw = mulberry32(5);
    let last = 0;
    // On a machine busy with other work a round may end before its first save: then it takes more of them.
    for (let i = 0; i < KILLS || last <= KILLS / 2; i++) {
      const saved = Math.max(last, await saveUntilKilled(script, folder, draw() * 60));
      last = (await new CheckpointFolder(folder).load((line) => expect.fail(line)))?.state.progress.step ?? 0;
      expect(last - saved).toBeGreaterThanOrEqual(0);
      expect(last - saved).toBeLessThanOrEqual(1);
    }
  });
});
