/**
 * Which adapter is chosen, on machines of every kind. SwiftShader's own manifest, given to the Vulkan loader as the
 * system's, stands for a system with a software driver, so the tests need nothing that is not bundled.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundledVulkan } from "../src/gpu/software_adapter.node.js";
import { bundleScript, runScript } from "./helpers/run_script.js";

interface Opened {
  choice?: string;
  name?: string;
  isSoftware?: boolean;
  failed?: unknown[];
  error?: string;
  code?: string;
}

let script: string;
const scratch = mkdtempSync(join(tmpdir(), "s2am-choice-"));
beforeAll(async () => {
  script = await bundleScript(new URL("./helpers/scripts/open_devices.ts", import.meta.url).pathname);
});
afterAll(() => rmSync(scratch, { recursive: true }));

const softwareSystem = () => ({ VK_ICD_FILENAMES: bundledVulkan().manifest, VK_DRIVER_FILES: undefined });
const noDrivers = { VK_ICD_FILENAMES: join(scratch, "nothing.json"), VK_DRIVER_FILES: undefined };

/** No drivers, and no loader either: a file that is no library stands before the real one. */
function noVulkan(): Record<string, string> {
  writeFileSync(join(scratch, "libvulkan.so.1"), "");
  return { LD_LIBRARY_PATH: scratch, VK_ICD_FILENAMES: join(scratch, "nothing.json") };
}

async function open(choices: string[], env: Record<string, string | undefined>): Promise<[Opened[], string]> {
  const result = await runScript(script, { args: choices, env: { S2AM_ADAPTER: undefined, ...env } });
  expect(result, result.stderr).toMatchObject({ code: 0, signal: null });
  const lines = result.stdout.trim().split("\n");
  return [lines.map((line) => JSON.parse(line) as Opened), result.stderr];
}

const bundled = { choice: "bundled", isSoftware: true, failed: [] };
const system = { choice: "system", isSoftware: true, failed: [] };

describe("without drivers", () => {
  test.each([
    ["no driver", () => noDrivers],
    ["no loader", noVulkan],
  ])("%s: auto and software fall to the bundled adapter and say why", async (_, env) => {
    const [opened, stderr] = await open(["auto", "software"], env());
    expect(opened).toMatchObject([bundled, bundled]);
    const lines = stderr.trim().split("\n");
    expect(lines).toHaveLength(2);
    for (const line of lines)
      expect(line).toMatch(/^adapter: SwiftShader.*, software, bundled \(no system adapter: .+\)$/);
  });

  test("gpu is refused with the cure", async () => {
    const [[opened], stderr] = await open(["gpu"], noDrivers);
    expect(opened).toMatchObject({ code: "ADAPTER" });
    expect(opened?.error).toMatch(/no hardware adapter: .*install.*doctor/);
    expect(stderr).toBe("");
  });

  test("a name that nothing has is answered with the names there are", async () => {
    const [[opened]] = await open(["GeForce 256"], noDrivers);
    expect(opened?.error).toMatch(/no adapter is named "GeForce 256"; there are: SwiftShader.*\(bundled\)/);
  });

  test("the bundled adapter goes by its name, too", async () => {
    const [[opened], stderr] = await open(["swiftSHADER"], noDrivers);
    expect(opened).toMatchObject(bundled);
    expect(stderr).toMatch(/^adapter: SwiftShader.*, software, bundled\n$/);
  });
});

describe("with a software driver", () => {
  test.each(["auto", "software", "SWIFTshader", "google"])("%s takes it", async (choice) => {
    const [[opened], stderr] = await open([choice], softwareSystem());
    expect(opened).toMatchObject(system);
    expect(stderr).toMatch(/^adapter: SwiftShader.*, software, system\n$/);
  });

  test("gpu is refused and names it", async () => {
    const [[opened]] = await open(["gpu"], softwareSystem());
    expect(opened?.error).toMatch(/only SwiftShader.*, in software/);
  });

  test("bundled is bundled", async () => {
    const [[opened]] = await open(["bundled"], softwareSystem());
    expect(opened).toMatchObject(bundled);
  });
});

test("one process opens the sources in any order", async () => {
  const [opened] = await open(["auto", "bundled", "gpu", "software", "bundled", "auto"], softwareSystem());
  expect(opened).toMatchObject([system, bundled, { code: "ADAPTER" }, system, bundled, system]);
});

test("the bundled adapter can follow a search that found no loader", async () => {
  const [opened] = await open(["gpu", "bundled", "auto"], noVulkan());
  expect(opened).toMatchObject([{ code: "ADAPTER" }, bundled, bundled]);
});

test("threads of one process get the adapter each asked for", async () => {
  const threads = await bundleScript(new URL("./helpers/scripts/open_in_threads.ts", import.meta.url).pathname);
  const result = await runScript(threads, { args: ["bundled", "auto", "bundled", "auto"] });
  expect(result, result.stderr).toMatchObject({ code: 0, signal: null });
  const [first, second, third, fourth] = JSON.parse(result.stdout) as Opened[];
  for (const one of [first, third])
    expect(one).toMatchObject({ ...bundled, name: expect.stringMatching(/SwiftShader/) });
  expect(second).toMatchObject({ failed: [] });
  expect(fourth).toEqual(second);
});

test("S2AM_ADAPTER chooses, an option overrides it, an empty one is none", async () => {
  expect((await open(["-", "auto"], { ...softwareSystem(), S2AM_ADAPTER: "bundled" }))[0]).toMatchObject([
    bundled,
    system,
  ]);
  expect((await open(["-"], { ...softwareSystem(), S2AM_ADAPTER: "" }))[0]).toMatchObject([system]);
  expect((await open(["-"], { ...noDrivers, S2AM_ADAPTER: "nonsense" }))[0]).toMatchObject([{ code: "ADAPTER" }]);
});

test("this machine, whatever it is, computes right with its first choice", async () => {
  const [[opened], stderr] = await open(["auto"], {});
  expect(opened).toMatchObject({ failed: [] });
  expect(stderr).toMatch(/^adapter: .+, (hardware|software), (system|bundled)( \(.*\))?\n$/);
});
