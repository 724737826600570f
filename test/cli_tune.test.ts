/** `s2am tune`, the tables it writes, who uses them, and `--unsafe-fast`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { serializeNpy } from "../src/io/npy.js";
import { fillArray } from "../src/kernels/suite.js";
import { identityName } from "../src/tuning/identity.js";
import { parseTuning, serializeTuning, type TuningFile } from "../src/tuning/table.js";
import { tinyWeights, workspace } from "./helpers/command_line.js";

const work = workspace();
const TINY = ["tune", "--model", "unet", "--width", "4", "--levels", "5", "--size", "32", "--budget-ms", "10"];
/** A software adapter compiles three dozen kernels. */
const SLOW = { timeoutMs: 110_000 };
const RUN = ["run", "--weights", "w.safetensors", "--input", "x.npy", "--output"];
const tableIn = (name: string): TuningFile => parseTuning(new TextDecoder().decode(work.read(name)), name);

beforeAll(() => {
  work.write("w.safetensors", tinyWeights());
  work.write("x.npy", serializeNpy([1, 4, 32, 32], Float32Array.from(fillArray([1, 4, 32, 32], 5, "unit").data)));
});

describe("tune", () => {
  test("is cut by SIGINT, keeps what it has, goes on from there, and then has nothing to do", async () => {
    const flags = [...TINY, "--output", "t.json"];
    const cut = await work.s2am([...flags, "--json"], { ...SLOW, signal: "SIGINT", signalAfter: " ms  " });
    expect(cut).toMatchObject({ code: 130, stderr: expect.stringContaining("interrupted: finishing") });
    const first = JSON.parse(cut.stdout);
    expect(first).toMatchObject({ interrupted: true, table: "t.json", tuned: expect.toSatisfy((n) => n >= 1) });
    expect(first.left).toBeGreaterThan(0);
    expect(Object.keys(tableIn("t.json").entries)).toHaveLength(first.tuned);

    const second = await work.done(flags, SLOW);
    expect(second).toMatchObject({ tuned: first.left, skipped: first.tuned, left: 0, wrong: [], interrupted: false });
    const written = work.read("t.json");
    expect(await work.done(flags)).toMatchObject({ tuned: 0, skipped: first.tuned + first.left, left: 0 });
    expect(work.read("t.json")).toEqual(written);
  });

  test("writes a table that a run can be told to use, and that is refused when it is another's, or none", async () => {
    await work.done([...RUN, "tuned.npy", "--tuning", "t.json"]);
    const table = tableIn("t.json");
    work.write("other.json", serializeTuning({ ...table, adapter: { ...table.adapter, vendor: "acme" } }));
    work.write("broken.json", "{");
    await work.refused([...RUN, "y.npy", "--tuning", "other.json"], /other\.json: was measured on acme .*s2am tune/, {
      before: false,
    });
    await work.refused([...RUN, "y.npy", "--tuning", "broken.json"], /broken\.json: is not JSON/);
    await work.refused([...RUN, "y.npy", "--tuning", "none.json"], /none\.json: no such tuning table/);
    await work.refused([...TINY, "--output", "other.json"], /other\.json: was measured on acme/, { before: false });
    await work.refused([...TINY, "--output", "broken.json"], /broken\.json: is not JSON/, { before: false });
  });

  test("refuses what no graph can be made of", async () => {
    await work.refused([...TINY, "--size", "40"], /--size must be multiples of 32/);
    await work.refused([...TINY, "--size", "32x"], /expected pixels, or HEIGHTxWIDTH/);
    await work.refused([...TINY, "--size", "32x64", "--train"], /trained on squares/);
    await work.refused([...TINY, "--dtype", "f64"], /Allowed choices are f32/);
    await work.refused([...TINY, "--output", "no/where.json"], /no: no such folder/);
  });
});

describe("a user's own table", () => {
  const env = (): Record<string, string> => ({ XDG_CACHE_HOME: work.path("cache") });
  const path = (): string => {
    const { adapter } = tableIn("t.json");
    return join("cache", "s2am-webgpu", "tuning", `${identityName(adapter)}.json`);
  };
  beforeAll(() => mkdirSync(work.path("cache/s2am-webgpu/tuning"), { recursive: true, mode: 0o700 }));

  test("is found by doctor and used by every command, unless that is switched off", async () => {
    const table = tableIn("t.json");
    const entries = Object.fromEntries(
      Object.entries(table.entries).map(([key, entry]) => [key, { ...entry, variant: "direct" }]),
    );
    work.write(path(), serializeTuning({ ...table, entries }));
    const { tuning } = (await work.done(["doctor"], { env: env() })) as {
      tuning: { used: boolean; own: { table: { entries: number } } };
    };
    expect(tuning).toMatchObject({ used: true, own: { table: { entries: Object.keys(entries).length } } });
    const bits = async (name: string, ...flags: string[]): Promise<string> => {
      await work.done([...RUN, name, ...flags], { env: env() });
      return Buffer.from(work.read(name)).toString("base64");
    };
    const [own, none, given] = [
      await bits("own.npy"),
      await bits("none.npy", "--no-tuning"),
      await bits("given.npy", "--tuning", "t.json"),
    ];
    expect(own).not.toBe(none); // the readable kernels add in another order
    expect(given).toBe(Buffer.from(work.read("tuned.npy")).toString("base64"));
  });

  test("that is damaged is passed over with a word about it", async () => {
    work.write(path(), "{");
    const { code, stderr } = await work.s2am([...RUN, "y.npy"], { env: env() });
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/is not JSON.*s2am tune; ignored/),
    });
    const { stdout } = await work.s2am(["doctor"], { env: env() });
    expect(stdout).toMatch(/^tuning {4}.*is not JSON.*\ntuning {4}in the box: \d+ problems/m);
  });
});

test("--unsafe-fast says so, and computes the same bits", async () => {
  await work.done([...RUN, "guarded.npy"]);
  const { code, stderr } = await work.s2am([...RUN, "fast.npy", "--unsafe-fast"]);
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/unsafe-fast: .*only .*you trust/) });
  expect(work.read("fast.npy")).toEqual(work.read("guarded.npy"));
});
