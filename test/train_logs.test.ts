/** What a training leaves for people and tools: CSV, TensorBoard's records, the page. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { crc32c } from "../src/crc32.js";
import {
  CSV_HEADER,
  type History,
  parseHistory,
  type TrainRow,
  trainLine,
  type ValidationRow,
  validationLine,
} from "../src/train/history.js";
import { freshProgress, type Progress } from "../src/train/progress.js";
import { reportHtml } from "../src/train/report.js";
import { RunFolder } from "../src/train/run_folder.node.js";
import { pictureRecord, scalarsRecord, startRecord, versionRecord } from "../src/train/tensorboard.js";
import { readTfEvents, slowCrc32c } from "./helpers/tfevents.js";

const folder = mkdtempSync(join(tmpdir(), "s2am-logs-"));
afterAll(() => rmSync(folder, { recursive: true }));

const row = (step: number, more: Partial<TrainRow> = {}): TrainRow => ({
  step,
  epoch: 1 + Math.floor(step / 4),
  loss: 1 / (step + 1),
  lr: 1e-3,
  gradientNorm: Math.PI * step,
  skipped: false,
  imagesPerSecond: 12.5,
  ...more,
});
const validated = (step: number): ValidationRow => ({
  step,
  epoch: step / 4,
  psnr: 25 + step / 7,
  ssim: 0.9,
  mse: 30.5,
  fmse: 200,
});
const join8 = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
const at = (step: number, validatedStep = step): Progress => ({ ...freshProgress(), step, validatedStep });

describe("CRC-32C", () => {
  test("of the standard's example, and of any bytes as bit by bit", () => {
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => crc32c(bytes) === slowCrc32c(bytes)));
  });
});

describe("TensorBoard's records", () => {
  test("hold what was put in", () => {
    const png = Uint8Array.from([137, 80, 78, 71]);
    const file = join8(
      versionRecord(1700000000.25),
      startRecord(1700000001, 5_000_000_000),
      scalarsRecord(1700000002, 300, { loss: 0.125, "val/psnr": 31.5 }),
      pictureRecord(1700000003, 300, "dog", { width: 520, height: 128, png }),
    );
    expect(readTfEvents(file)).toEqual([
      { wallTime: 1700000000.25, step: 0, fileVersion: "brain.Event:2", scalars: {}, pictures: {} },
      { wallTime: 1700000001, step: 5_000_000_000, sessionStatus: 1, scalars: {}, pictures: {} },
      { wallTime: 1700000002, step: 300, scalars: { loss: 0.125, "val/psnr": 31.5 }, pictures: {} },
      { wallTime: 1700000003, step: 300, scalars: {}, pictures: { dog: { width: 520, height: 128, png } } },
    ]);
    file[30] = (file[30] ?? 0) ^ 1;
    expect(() => readTfEvents(file)).toThrow("wrong checksum");
  });
});

describe("log.csv", () => {
  const rows = [
    row(1),
    row(2, { loss: Number.NaN, gradientNorm: Number.POSITIVE_INFINITY, skipped: true }),
    row(3),
    row(4),
  ];
  const text = CSV_HEADER + rows.map(trainLine).join("") + validationLine(validated(4)) + trainLine(row(5));

  test("reads back as the numbers that were written", () => {
    const { history, length } = parseHistory(text, 5, 4);
    expect(history).toEqual({ train: [...rows, row(5)], validation: [validated(4)] });
    expect(length).toBe(text.length);
  });

  test("ends where the checkpoint does", () => {
    expect(parseHistory(text, 3, 0).history.train.map(({ step }) => step)).toEqual([1, 2, 3]);
    const beforeValidation = parseHistory(text, 4, 0);
    expect(beforeValidation.history.validation).toEqual([]);
    expect(text.slice(beforeValidation.length)).toMatch(/^4,1,val/);
  });

  test("a row that was cut short is dropped, at any character", () => {
    for (let end = 0; end < text.length; end++) {
      const { history, length } = parseHistory(text.slice(0, end), 9, 9);
      expect(length).toBeLessThanOrEqual(end);
      expect(text.slice(0, length)).toMatch(/^$|\n$/);
      expect(history.train.length + history.validation.length).toBe(
        Math.max(0, text.slice(0, length).split("\n").length - 2),
      );
    }
  });
});

describe("a run's folder", () => {
  test("a resumed run goes on in the same CSV and tells TensorBoard", async () => {
    const path = join(folder, "run");
    const first = new RunFolder(path);
    await first.begin({ lr: 1e-3 });
    await first.openLogs(freshProgress());
    for (let step = 1; step <= 6; step++) await first.logStep(row(step));
    await first.logValidation(validated(4));
    await first.close();
    writeFileSync(join(path, "log.csv"), "7,2,tra", { flag: "a" });

    const second = new RunFolder(path);
    await second.openLogs(at(4, 0));
    expect(second.history.train).toEqual([1, 2, 3, 4].map((step) => row(step)));
    for (let step = 5; step <= 8; step++) await second.logStep(row(step));
    await second.close();
    const { history } = parseHistory(readFileSync(join(path, "log.csv"), "latin1"), 99, 99);
    expect(history).toEqual({ train: [1, 2, 3, 4, 5, 6, 7, 8].map((step) => row(step)), validation: [] });

    const files = readdirSync(path).filter((name) => name.includes("tfevents"));
    const events = files.flatMap((name) => readTfEvents(readFileSync(join(path, name))));
    expect(events.filter(({ sessionStatus }) => sessionStatus === 1).map(({ step }) => step)).toEqual([5]);
    expect(events.filter(({ scalars }) => "loss" in scalars).map(({ step }) => step)).toEqual([
      1, 2, 3, 4, 5, 6, 5, 6, 7, 8,
    ]);
    expect(JSON.parse(readFileSync(join(path, "config.json"), "utf8"))).toEqual({ lr: 1e-3 });
  });

  test("a folder with anything in it is not taken for a new run", async () => {
    await expect(new RunFolder(join(folder, "run")).assertFresh()).rejects.toThrow(/not empty.*--resume/);
    await new RunFolder(join(folder, "new/one")).assertFresh();
    writeFileSync(join(folder, "file"), "");
    await expect(new RunFolder(join(folder, "file")).assertFresh()).rejects.toThrow(/not a folder/);
    await expect(new RunFolder(join(folder, "file/below")).begin({})).rejects.toThrow(/cannot be made/);
    await expect(new RunFolder("/proc/s2am").begin({})).rejects.toThrow(/cannot be made/);
  });
});

describe("report.html", () => {
  const history: History = {
    train: Array.from({ length: 5000 }, (_, i) => row(i + 1)),
    validation: [validated(4), validated(8)],
  };
  const report = reportHtml({
    title: "s2ad </script><b>",
    facts: { best: "31.2 dB" },
    settings: { data: "/photos & <more>", val: null },
    history,
    baselinePsnr: 25.5,
    samples: [{ name: "dog", caption: "25.0 to 31.0 dB", png: Uint8Array.from([137, 80, 78, 71]) }],
    chartLibrary: { script: "/* charts */", style: "/* style */" },
  });

  test("stands alone", () => {
    expect(report).not.toMatch(/(?:src|href)=["'](?!data:)/);
    expect(report).not.toMatch(/https?:\/\//);
    expect(report).toContain("default-src 'none'");
    expect(report).toContain('src="data:image/png;base64,iVBORw=="');
  });

  test("escapes names and thins long curves", () => {
    expect(report).toContain("<h1>s2ad &lt;/script&gt;&lt;b&gt;</h1>");
    expect(report).toContain("/photos &amp; &lt;more&gt;");
    const [, json = "[]"] = /const charts = (.*);\n/.exec(report) ?? [];
    const charts = JSON.parse(json);
    expect(charts[0].columns[0].length).toBeLessThanOrEqual(2000);
    expect(charts[0].columns[0].at(-1)).toBe(5000);
    expect(charts[1].columns).toEqual([
      [4, 8],
      [validated(4).psnr, validated(8).psnr],
      [25.5, 25.5],
    ]);
  });
});
