/** The runs of a comparison: trained once, measured twice, kept, gone on with; and the child process that does it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { CommandLine } from "../bench/quality/child.js";
import { readLog } from "../bench/quality/record.js";
import { CommandError, Comparison, claim, readRecords } from "../bench/quality/runs.js";
import { AbortedError, InputError } from "../src/errors.js";
import { CSV_HEADER, trainLine, validationLine } from "../src/train/history.js";
import { BUDGET, GATES, measures, UNET } from "./helpers/quality_runs.js";

const folder = mkdtempSync(join(tmpdir(), "s2am-quality-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("runs", () => {
  let folders = 0;
  const fresh = async (): Promise<string> => {
    folders += 1;
    const path = join(folder, String(folders));
    await Comparison.prepare(path, BUDGET);
    return path;
  };
  const log = `${CSV_HEADER}${[1, 2, 3]
    .map((step) =>
      trainLine({ step, epoch: 1, loss: step, lr: 1, gradientNorm: 1, skipped: false, imagesPerSecond: 8 }),
    )
    .join("")}${validationLine({ step: 3, epoch: 1, psnr: 21, ssim: 1, mse: 1, fmse: 1 })}`;

  /** Stands for the command line: leaves what a training leaves. */
  function scripted(path: string, outcome = "finished") {
    const calls: string[] = [];
    const said: string[] = [];
    const comparison = new Comparison({
      folder: path,
      budget: BUDGET,
      data: "D",
      build: "b",
      say: (line) => said.push(line),
      now: () => 0,
      command: async (args, onEvent) => {
        calls.push(args[0] ?? "");
        if (args[0] === "eval") return { ...measures(args.includes("--no-paste") ? 30 : 31), adapter: "a" };
        const run = args[args.indexOf("--resume") + 1] ?? "";
        mkdirSync(run, { recursive: true });
        writeFileSync(join(run, "log.csv"), log);
        for (const step of [1, 2]) onEvent({ event: "step", step, steps: 3, imagesPerSecond: 8, secondsLeft: 61 });
        onEvent({ event: "warning", message: "careful" });
        return { outcome, step: 2, batch: 4, accumulate: 1 };
      },
    });
    return { comparison, calls, said };
  }

  test("are trained, measured twice and kept; what is complete is not repeated", async () => {
    const path = await fresh();
    const { comparison, calls, said } = scripted(path);
    expect(await comparison.record(GATES, 3)).toBeNull();
    const kept = await comparison.complete(GATES, 3);
    expect(calls).toEqual(["train", "eval", "eval"]);
    expect(said).toEqual([
      "s2ad-without-gates-seed3: step 1 of 3, 8.0 images/s, 2 min left",
      "s2ad-without-gates-seed3: careful",
    ]);
    expect(kept).toMatchObject({
      seed: 3,
      batch: 4,
      step: { median: 500, count: 3 },
      whole: { after: { psnr: 30 } },
      pasted: { after: { psnr: 31 } },
      curves: { loss: [1, 2, 3].map((step) => ({ step, loss: step })), validation: [{ step: 3, psnr: 21 }] },
    });
    expect(await comparison.complete(GATES, 3)).toEqual(kept);
    expect(calls).toHaveLength(3);
    expect(await readRecords(path)).toEqual([kept]);
  });

  test("that were stopped are not complete", async () => {
    const path = await fresh();
    const { comparison, calls } = scripted(path, "interrupted");
    await expect(comparison.complete(UNET, 0)).rejects.toThrow(AbortedError);
    expect(calls).toEqual(["train"]);
    expect(await comparison.record(UNET, 0)).toBeNull();
    await expect(readRecords(path)).rejects.toThrow(/holds no complete run to report on/);
  });

  test("of another budget, or in a folder of something else, are refused", async () => {
    const path = await fresh();
    await Comparison.prepare(path, BUDGET);
    await expect(Comparison.prepare(path, { ...BUDGET, steps: 7 })).rejects.toThrow(/runs of steps 100, not 7/);
    const other = join(folder, "other");
    mkdirSync(other);
    writeFileSync(join(other, "letter.txt"), "");
    await expect(Comparison.prepare(other, BUDGET)).rejects.toThrow(/holds something else than a comparison/);
    writeFileSync(join(path, "measured", "unet-seed0.json"), "{");
    await expect(readRecords(path)).rejects.toThrow(InputError);
    await expect(readRecords(path)).rejects.toThrow(/unet-seed0\.json: is not JSON; remove it/);
  });

  test("two at once in one folder are refused; what a killed one left is not", async () => {
    const path = await fresh();
    const { alsoFor, release } = await claim(path, 10, () => false);
    await alsoFor(11);
    await expect(claim(path, 12, (pid) => pid === 11)).rejects.toThrow(/by process 11: wait for it or end it/);
    await release();
    const again = await claim(path, 12, () => true);
    await claim(path, 13, () => false);
    await again.release();
  });

  test("a log without a step, or none, is named", async () => {
    const run = join(folder, "run");
    mkdirSync(run);
    await expect(readLog(run, 4)).rejects.toThrow(/log\.csv: cannot be read/);
    writeFileSync(join(run, "log.csv"), CSV_HEADER);
    await expect(readLog(run, 4)).rejects.toThrow(/log\.csv: holds no step/);
  });
});

describe("the command line as a child", () => {
  const script = join(folder, "script.mjs");
  const log = join(folder, "commands.log");
  writeFileSync(
    script,
    `const [, , what] = process.argv;
console.error(JSON.stringify({ event: "step", step: 1 }));
console.error(JSON.stringify({ event: "note", message: "n" }));
console.error("{not JSON");
process.on("SIGINT", () => { console.log('{"outcome":"interrupted"}'); process.exit(0); });
if (what === "wait") { console.error(JSON.stringify({ event: "ready" })); setTimeout(() => {}, 60000); }
else if (what === "fail") { console.error("s2am: it is broken"); process.exitCode = 2; }
else console.log('{"outcome":"finished"}');`,
  );
  const events: string[] = [];
  const pids: number[] = [];
  const line = new CommandLine({ script, log, onStart: async (pid) => void pids.push(pid) });

  test("gives its document, its events and a log without steps", async () => {
    expect(await line.run(["go", "on"], ({ event }) => void events.push(event))).toEqual({ outcome: "finished" });
    expect(events).toEqual(["step", "note"]);
    expect(pids).toHaveLength(1);
    expect(readFileSync(log, "utf8")).toBe('$ s2am go on\n{"event":"note","message":"n"}\n{not JSON\n');
    expect(line.signal("SIGINT")).toBe(false);
  });

  test("fails with what it said", async () => {
    await expect(line.run(["fail"], () => {})).rejects.toThrow(CommandError);
    await expect(line.run(["fail"], () => {})).rejects.toThrow("s2am fail ended with 2: s2am: it is broken");
  });

  test.skipIf(process.platform === "win32")("is interrupted by the bench's hand", async () => {
    const found = await line.run(["wait"], ({ event }) => void (event === "ready" && line.signal("SIGINT")));
    expect(found).toEqual({ outcome: "interrupted" });
  });
});
