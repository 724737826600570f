/** However the command line ends, it ends at once, with its own code, its output whole and nothing half-written. */
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { boxMask, CLI, workspace } from "./helpers/command_line.js";
import { bundleScript, runScript } from "./helpers/run_script.js";
import { pattern } from "./image_fixtures.js";

const work = workspace();
const env = { S2AM_ADAPTER: process.env.S2AM_ADAPTER || "bundled" };
let script: string;
beforeAll(async () => {
  script = await bundleScript(new URL("./helpers/scripts/end_command.ts", import.meta.url).pathname);
  await work.picture("a.png", pattern(64, 48));
  await work.picture("mask.png", boxMask(64, 48, [10, 10, 40, 30]));
});

/** Runs a program and closes its stdout after the first bytes, or before any. */
async function withReaderGone(args: readonly string[], readFirst: boolean) {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  if (readFirst) child.stdout.once("data", () => child.stdout.destroy());
  else child.stdout.destroy();
  const code = await new Promise((resolve) => child.once("close", resolve));
  return { code, stderr };
}

describe("signals", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s while kernels compile: code %i, nothing written", async (signal, code) => {
    const files = work.list();
    const args = ["harmonize", "a.png", "mask.png", "-o", "out.png"];
    const result = await work.s2am(args, { signal, signalAfter: "adapter:" });
    expect(result).toMatchObject({ code, signal: null, stdout: "", stderr: expect.stringMatching(/^adapter: .*\n$/) });
    expect(result.milliseconds).toBeLessThan(8000); // patience with a busy machine; the network alone takes longer
    expect(work.list()).toEqual(files);
  });

  test("while an output is written: its temporary file goes too", async () => {
    const files = work.list();
    const args = ["write much", work.folder];
    expect(await runScript(script, { args, signal: "SIGINT", signalAfter: "writing" })).toMatchObject({ code: 130 });
    expect(work.list()).toEqual(files);
  });
});

describe("output", () => {
  test("a reader that has gone is no fault", async () => {
    const commands = [
      [CLI, "doctor", "--json"],
      [CLI, "harmonize", "--help"],
      [script, "print much"],
    ];
    for (const [index, args] of commands.entries()) {
      expect(await withReaderGone(args, index === 2)).toEqual({ code: 0, stderr: "" });
    }
  });

  test("a slow reader gets all of it", async () => {
    const child = spawn(process.execPath, [script, "print much"], { stdio: ["ignore", "pipe", "inherit"] });
    let length = 0;
    for await (const chunk of child.stdout) {
      if (length === 0) await sleep(500);
      length += (chunk as Buffer).length;
    }
    expect(length).toBe((4 << 20) + 1);
  });

  test.runIf(process.platform === "linux")("a full disk under stdout is said", async () => {
    const command = `"${process.execPath}" "${CLI}" --help > /dev/full`;
    const child = spawn("/bin/sh", ["-c", command], { stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    for await (const chunk of child.stderr) stderr += chunk;
    const code = child.exitCode ?? (await new Promise((resolve) => child.once("close", resolve)));
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: "s2am: stdout: cannot be written (no space left on device)\n",
    });
  });
});

describe("faults of ours", () => {
  test.each(["throw", "throw later", "reject alone"])("%s: code 1, a stack only with --debug", async (ending) => {
    const brief = await runScript(script, { args: [ending] });
    expect(brief).toMatchObject({ code: 1, stdout: "" });
    expect(brief.stderr).toBe("s2am: internal error: on purpose (a fault of s2am; --debug shows where)\n");
    const full = await runScript(script, { args: [ending, "--debug"] });
    expect(full).toMatchObject({ code: 1, stdout: "" });
    expect(full.stderr).toMatch(/^s2am: internal error: TypeError: on purpose\n +at .*end_command/);
  });

  test("memory that the system does not give is no fault of ours", async () => {
    const { code, stderr } = await runScript(script, { args: ["allocate too much"] });
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(/^s2am: not enough memory/) });
  });
});
