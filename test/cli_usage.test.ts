/** Help, usage errors and `s2am doctor`. */
import { describe, expect, test } from "vitest";
import { packageVersion } from "../src/package.node.js";
import { workspace } from "./helpers/command_line.js";

const work = workspace();
const COMMANDS = ["harmonize", "run", "convert", "export", "synth", "train", "doctor", "bench", "tune"];

describe("help", () => {
  test("lists the commands; each has examples and says how to get JSON", async () => {
    const whole = await work.s2am(["--help"]);
    expect(whole).toMatchObject({ code: 0, stderr: "" });
    for (const command of COMMANDS) {
      expect(whole.stdout).toContain(`  ${command} `);
      const { code, stdout, stderr } = await work.s2am([command, "--help"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(new RegExp(`\\nExamples:\\n  s2am ${command}`));
      expect(stdout).toContain("--json");
      expect(stdout).toContain("--debug");
    }
  });

  test("the version is the package's", async () => {
    expect(await work.s2am(["--version"])).toMatchObject({ code: 0, stdout: `${packageVersion()}\n`, stderr: "" });
  });

  test("without a command: help on stderr, code 2", async () => {
    const { code, stdout, stderr } = await work.s2am([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: s2am/);
  });
});

describe("usage errors", () => {
  const harmonize = ["harmonize", "a.png", "m.png"];
  test.each([
    [["nosuch"], /unknown command 'nosuch'/],
    [["doctor", "more"], /too many arguments/],
    [["doctor", "--nosuch"], /unknown option '--nosuch'/],
    [["doctor", "--json=1"], /unknown option '--json=1'/],
    [harmonize, /required option '-o, --output <path>'/],
    [["harmonize", "-o", "o.png"], /missing required argument 'composite'/],
    [[...harmonize, "-o", "o.png", "--strength", "7"], /--strength.*expected a number from 0 to 1/],
    [[...harmonize, "-o", "o.png", "--strength", "half"], /expected a number/],
    [[...harmonize, "-o", "o.png", "--strength", ""], /expected a number/],
    [[...harmonize, "-o", "o.png", "--working-size", "512.5"], /expected a whole number/],
    [[...harmonize, "-o", "o.png", "--working-size", "8"], /from 16/],
    [[...harmonize, "-o", "o.png", "--feather", "-1"], /expected a number from 0/],
    [[...harmonize, "-o", "o.png", "--max-pixels", "0"], /expected a number from 1/],
    [[...harmonize, "-o", "o.png", "--blur", "none"], /Allowed choices are code, paper/],
    [["run", "--weights", "w", "--input", "x.npy"], /required option '--output <y.npy>'/],
    [[...harmonize, "-o", "o.png", "--dtype", "f64"], /Allowed choices are f32, f16/],
    [[...harmonize, "-o", "o.png", "--matrix-units"], /--matrix-units multiply f16: add --dtype f16/],
    [["bench", "--train", "--dtype", "f16"], /--train computes in f32/],
    [["bench", "--toggles", "--dtype", "f16"], /--toggles are measured in f32/],
    [["tune", "--train", "--dtype", "f16"], /--train computes in f32/],
    [["tune", "--matrix-units"], /--matrix-units multiply f16/],
    [["convert", "a.pth"], /missing required argument 'out'/],
    [["convert", "a.pth", "b.safetensors", "--dtype", "int8"], /Allowed choices are f32, f16/],
  ])("%j", (args, message) => work.refused(args, message));
});

describe("doctor", () => {
  test("one JSON document; the same for people", async () => {
    const report = await work.done(["doctor"]);
    expect(report).toMatchObject({ ok: true, checks: expect.any(Array), adapter: { limits: expect.any(Object) } });
    const { code, stdout } = await work.s2am(["doctor"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^platform .*\nadapter .*\ndriver .*\nfeatures .*\nlimits /);
  });

  test.runIf(process.platform === "linux")("an adapter that is not there: the report, code 2", async () => {
    const env = { VK_DRIVER_FILES: "/nonexistent.json", VK_ICD_FILENAMES: "/nonexistent.json" };
    const { code, stdout } = await work.s2am(["doctor", "--adapter", "gpu", "--json"], { env });
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      adapter: null,
      error: expect.stringContaining("no hardware"),
    });
  });
});
