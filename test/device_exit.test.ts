/** However a process ends, it ends at once, with its own exit code and without a crash, also while the GPU works. */
import { beforeAll, describe, expect, test } from "vitest";
import { bundleScript, type RunOptions, runScript } from "./helpers/run_script.js";

let script: string;
beforeAll(async () => {
  script = await bundleScript(new URL("./helpers/scripts/end_process.ts", import.meta.url).pathname);
});

/** Starting Node and the device takes a quarter of a second; the rest is patience with a busy machine. */
const PATIENCE_MS = 8000;

const end = (ending: string, options: RunOptions = {}) =>
  runScript(script, {
    args: [ending],
    env: { S2AM_ADAPTER: process.env.S2AM_ADAPTER || "bundled" },
    signalAfter: "ready",
    ...options,
  });

describe("a process that ends by itself", () => {
  const endings: [string, number, RegExp][] = [
    ["close after work", 0, /^$/],
    ["close at once", 0, /^$/],
    ["never close", 0, /^$/],
    ["throw after work", 1, /on purpose/],
    ["throw during work", 1, /on purpose/],
    ["exit during work", 3, /^$/],
    ["exit while closing", 3, /^$/],
    ["exit while compiling", 3, /^$/],
  ];
  test.each(endings)("%s: code %i", async (ending, code, stderr) => {
    const result = await end(ending);
    const complaint = result.stderr.replace(/^adapter: .*\n/, "");
    expect(result).toMatchObject({ code, signal: null, stdout: "ready\n" });
    expect(complaint).toMatch(stderr);
    expect(result.milliseconds).toBeLessThan(PATIENCE_MS);
  });
});

describe("a process that is told to end while the GPU works", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s, handled: code %i", async (signal, code) => {
    const result = await end("wait for a signal, with a handler", { signal });
    expect(result).toMatchObject({ code, signal: null });
    expect(result.stderr).toMatch(/^adapter: .*\n$/);
    expect(result.milliseconds).toBeLessThan(PATIENCE_MS);
  });

  test.each(["SIGINT", "SIGTERM"] as const)("%s, not handled: dies of it", async (signal) => {
    const result = await end("wait for a signal", { signal });
    expect(result).toMatchObject({ code: null, signal });
    expect(result.milliseconds).toBeLessThan(PATIENCE_MS);
  });
});
