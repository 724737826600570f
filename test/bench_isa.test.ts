/** What a real GPU's compiler makes of the kernels: parsers on recorded output, comparison, and the real compiler where it is. */
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { beforeAll, describe, expect, test } from "vitest";
import { assertComparable, compareRecords, showComparison } from "../bench/isa/compare.js";
import { type CompiledFamily, compileFamilies } from "../bench/isa/compile.js";
import { parseFamilies } from "../bench/isa/families.js";
import { instructionsPerMultiplyAdd, multiplyAddShare } from "../bench/isa/figures.js";
import { hottestLoop, markLoop } from "../bench/isa/listing.js";
import { outsideOf, parseOutput } from "../bench/isa/output.js";
import { parseRecord, serializeRecord } from "../bench/isa/record.js";
import { nameIn, tableOf } from "../bench/isa/table.js";
import { findDriver } from "../bench/isa/toolchain.js";
import { checkWorkload, type Workload, workloadName } from "../bench/isa/workload.js";
import { AbortedError, AdapterError, InputError, UsageError } from "../src/errors.js";
import { packageFile } from "../src/package.node.js";
import { figures, GCN_LISTING, OUTPUT, RDNA_LISTING, record, whyNoCompiler } from "./helpers/isa.js";
import { bundleScript } from "./helpers/run_script.js";

const BASE: Workload = record([]).workload;

describe("a listing", () => {
  test("its hottest loop is the smallest with the most multiply-adds", () => {
    // The outer loop has one more of them than the inner, so it is the one.
    expect(hottestLoop(RDNA_LISTING)).toMatchObject({ multiplyAdds: 3, whole: 0, from: 5 });
    const inner = hottestLoop(RDNA_LISTING.replace("v_fmac_f32_e32 v9, v1, v2 ", "v_add_f32_e32 v9, v1, v2 "));
    expect(inner).toEqual({
      whole: 0,
      instructions: 13, // a pair counts as two, repeats as often as they are, waits not at all
      multiplyAdds: 2,
      multiplyAddInstructions: 2,
      vector: 8,
      lds: 2,
      ldsBytes: 24,
      memory: 1,
      memoryBytes: 16,
      scalar: 2,
      divisions: 0,
      multiplications: 1,
      transcendental: 0,
      matrix: 0,
      from: 8,
      to: 19,
    });
  });

  test("without a loop all of it counts; integer divisions are told from a float's", () => {
    const found = hottestLoop(GCN_LISTING);
    expect(found).toMatchObject({ whole: 1, instructions: 14, multiplyAdds: 3, multiplyAddInstructions: 2 });
    expect(found).toMatchObject({ divisions: 1, multiplications: 1, transcendental: 2, memory: 2, memoryBytes: 20 });
  });

  test("a loop that holds few of the multiply-adds is not where the work is", () => {
    const unrolled = `${RDNA_LISTING}BB10:\n${"\tv_fmac_f32_e32 v1, v2, v3 ; 0\n".repeat(20)}`;
    expect(hottestLoop(unrolled)).toMatchObject({ whole: 1, multiplyAdds: 23 });
  });

  test("products of matrices count before multiply-adds", () => {
    const loop = "BB1:\n\tv_wmma_f32_16x16x16_f16 v[0:7], v[8:15], v[16:23], v[0:7] ; 0\n\ts_cbranch_scc1 BB1 ; 0\n";
    expect(hottestLoop(`${RDNA_LISTING}${loop.replaceAll("BB1", "BB20")}`)).toMatchObject({ matrix: 1, vector: 1 });
  });

  test("is shown with its loop marked, without the bytes", () => {
    const lines = markLoop(RDNA_LISTING).split("\n");
    expect(lines[5]).toBe("| BB1:");
    expect(lines[6]).toBe("| \tv_fmac_f32_e32 v9, v1, v2");
    expect(lines[0]).toBe("  BB0:");
    expect(markLoop(GCN_LISTING)).not.toContain("|");
  });
});

describe("what the driver prints", () => {
  test("is taken apart by kernel; one that did not end is left out", () => {
    const [first, second, ...rest] = parseOutput(OUTPUT);
    expect(rest).toEqual([]);
    expect(first?.statistics).toEqual({
      vgprs: 156,
      sgprs: 128,
      spilledVgprs: 0,
      spilledSgprs: 0,
      scratch: 16,
      lds: 8192,
      waves: 8,
      codeBytes: 4996,
      lanes: 64,
    });
    expect(first?.listing.split("\n").at(-1)).toMatch(/s_endpgm/);
    expect(second).toMatchObject({ id: 1, statistics: { spilledVgprs: 2 } });
  });

  test("words around the kernels are kept for errors", () => {
    expect(outsideOf(OUTPUT)).toMatch(/^ac_compute_device_uuid.*\n.*something else$/s);
  });

  test("another Mesa's words are refused, not read as zeros", () => {
    expect(() => parseOutput(OUTPUT.replace("Spilled VGPRs", "VGPR spills"))).toThrow(/no line "Spilled VGPRs"/);
    expect(parseOutput("##BEGIN 0\nnothing\n##END 0\n")).toEqual([{ id: 0, listing: "", statistics: null }]);
  });

  test("lanes are read off the listing", () => {
    const lanes = (line: string): number | undefined =>
      parseOutput(OUTPUT.replace("v_mov_b32_e32 v20, 0 ", `${line} `))[0]?.statistics?.lanes;
    expect(lanes("s_mov_b32 exec_lo, s0")).toBe(32);
    expect(lanes("s_mov_b64 exec, s[0:1]")).toBe(64);
    expect(lanes("s_mov_b64 exec, s[0:1]\n\ts_mul_i32 vcc_lo, s96, 20")).toBe(64);
  });
});

describe("a record", () => {
  const rows = [figures(), figures({ constants: "TILE_M=64 TILE_N=32", spilledVgprs: 3 }, { whole: 1 })];

  test("comes back as it was, one line a kernel", () => {
    const text = serializeRecord(record(rows));
    expect(parseRecord(text, "file")).toEqual(record(rows));
    expect(text.split("\n").filter((line) => line.includes("TILE_M"))).toHaveLength(2);
  });

  test.each([
    ["no JSON", "{", /file: not JSON .*expected a file that npm run bench:isa/],
    ["another file", "{}", /file: command: /],
    ["a column too few", serializeRecord(record(rows)).replace('"waves",', ""), /columns lack "waves"/],
    [
      "a word for a number",
      serializeRecord(record(rows)).replace(",8192,", ',"much",'),
      /lds must be a number, got much/,
    ],
    ["a negative number", serializeRecord(record(rows)).replace(",8192,", ",-1,"), /file: families\.0\.kernels\.0/],
  ])("%s is refused", (_, text, message) => {
    expect(() => parseRecord(text, "file")).toThrow(message);
    expect(() => parseRecord(text, "file")).toThrow(InputError);
  });

  test("as a table it shows the constants that differ alone", () => {
    expect(rows.map((row) => nameIn(rows, row))).toEqual(["matmul_tiled TILE_N=64", "matmul_tiled TILE_N=32"]);
    const [title, head, ...lines] = tableOf({ family: "navi31", card: "Radeon RX 7900", kernels: rows });
    expect(title).toBe("navi31 (Radeon RX 7900), 2 kernels");
    expect(head?.length).toBe(lines[0]?.length);
    expect(lines[0]).toMatch(/ 740 .*0\.78$/);
    expect(lines[1]).toMatch(/ 3 .* 740\* /);
  });
});

describe("a comparison", () => {
  const old = record([figures(), figures({ shader: "linear", constants: "" })]);
  const against = (...kernels: ReturnType<typeof figures>[]) => compareRecords(old, record(kernels), "old.json");

  test("of equal figures finds nothing", () => {
    const [row, linear] = old.families[0]?.kernels ?? [];
    const same = against(...[row, linear].flatMap((one) => one ?? []));
    expect(same).toMatchObject({ worse: [], better: [], pairs: 2, gone: [], added: [] });
  });

  test("tells worse from better in every figure", () => {
    const bad = figures(
      { spilledVgprs: 1, spilledSgprs: 2, scratch: 4, waves: 6 },
      { vector: 800, instructions: 900, divisions: 1, multiplications: 3 },
    );
    const { worse, better } = against(bad, figures({ shader: "linear", constants: "", waves: 10 }));
    const named = worse.map(({ figure, before, now }) => [figure, before, +now.toFixed(2)]);
    expect(named).toEqual([
      ["spilled VGPRs", 0, 1],
      ["spilled SGPRs", 0, 2],
      ["scratch", 0, 4],
      ["waves", 8, 6],
      ["multiply-add share", 512 / 657, 0.64],
      ["instructions per multiply-add", 740 / 512, 1.76],
      ["divisions", 0, 1],
      ["multiplications", 0, 3],
    ]);
    expect(better).toEqual([{ family: "navi31", kernel: "linear", figure: "waves", before: 8, now: 10 }]);
    const back = compareRecords(record([bad]), record([figures()]), "old.json");
    expect([back.worse.length, back.better.length]).toEqual([0, 8]);
  });

  test("an instruction more or less among hundreds is no difference", () => {
    expect(against(figures({}, { instructions: 745, vector: 660 })).worse).toEqual([]);
  });

  test("pairs a kernel whose constants changed with the one most like it; gone and new ones are named", () => {
    const { worse, gone, added, pairs } = against(
      figures({ constants: "TILE_M=64 TILE_N=64 PEELED=1", waves: 6 }),
      figures({ shader: "new_one", constants: "" }),
    );
    expect(pairs).toBe(1);
    expect(worse[0]?.kernel).toBe("matmul_tiled TILE_M=64 TILE_N=64, now matmul_tiled TILE_M=64 TILE_N=64 PEELED=1");
    expect([gone, added]).toEqual([["navi31 linear"], ["navi31 new_one"]]);
  });

  test("does not guess between two that are alike", () => {
    const two = ["A=1", "A=2"].map((extra) => figures({ constants: `TILE_M=64 TILE_N=64 ${extra}` }));
    expect(against(...two)).toMatchObject({ pairs: 0, added: [{}, {}].map(() => expect.stringContaining("A=")) });
  });

  test("is written for people", () => {
    const text = showComparison(against(figures({ waves: 6 }))).join("\n");
    expect(text).toMatch(
      /^against old\.json of 2026.*1 kernels compared, 1 figures worse, 0 better\n {2}worse {2}navi31 waves 8 -> 6/,
    );
  });

  test("of another workload, or no common family, is refused", () => {
    expect(() => assertComparable(old, { ...BASE, dtype: "f16" }, ["navi31"], "old.json")).toThrow(
      /old\.json is of s2ad64-256-f32, this is s2ad64-256-f16/,
    );
    expect(() => assertComparable(old, BASE, ["vega10"], "old.json")).toThrow(UsageError);
    expect(() => assertComparable(old, BASE, ["vega10", "navi31"], "old.json")).not.toThrow();
  });

  test("a kernel that multiplies nothing has no share", () => {
    const idle = figures({}, { multiplyAdds: 0, multiplyAddInstructions: 0 });
    expect([multiplyAddShare(idle), instructionsPerMultiplyAdd(idle)]).toEqual([null, null]);
  });
});

describe("what is asked for", () => {
  test.each<[string, Partial<Workload>, RegExp]>([
    ["a size the levels do not divide", { size: 100 }, /--size must be a multiple of 256/],
    ["a training step in f16", { train: true, dtype: "f16", batch: 4 }, /--train computes in f32/],
    ["matrix units in f32", { matrixUnits: true }, /add --dtype f16/],
    ["no picture", { batch: 0 }, /--batch must be a whole number from 1/],
    ["too few channels", { width: 4 }, /width of at least 8/],
  ])("%s is refused", (_, changed, message) => {
    expect(() => checkWorkload({ ...BASE, ...changed })).toThrow(message);
    expect(() => checkWorkload({ ...BASE, ...changed })).toThrow(UsageError);
  });

  test("families are named", () => {
    expect(parseFamilies("navi31, vega10,navi31").map(({ name }) => name)).toEqual(["navi31", "vega10"]);
    expect(() => parseFamilies("navi99")).toThrow(/"navi99" is none of vega10 \(Radeon RX Vega 64\)/);
  });

  test("a workload's name tells what it is", () => {
    expect(workloadName({ ...BASE, batch: 4, train: true })).toBe("s2ad64-256x4-train-f32");
    expect(workloadName({ ...BASE, dtype: "f16", matrixUnits: true })).toBe("s2ad64-256-f16-matrix");
  });

  test("a missing driver is said in one line, with the cure", () => {
    const missing = () => findDriver("/no/such/radeon_icd.json");
    expect(missing).toThrow(AdapterError);
    if (process.platform === "linux") expect(missing).toThrow(/no manifest .*: apt-get install .*mesa-vulkan-drivers/);
  });
});

describe("the compiler", () => {
  const missing = whyNoCompiler();
  if (missing !== null)
    console.warn(`SKIPPED: no compiler of a real GPU here, so nothing is compiled for one: ${missing}`);
  const families = parseFamilies("navi31,vega10");
  const small: Workload = { ...BASE, width: 16, levels: 5, size: 64 };
  let child = "";
  const compile = (workload: Workload, signal?: AbortSignal): Promise<CompiledFamily[]> =>
    compileFamilies({ workload, families, child, standIn: packageFile("bench", "isa", "null_vulkan.c"), signal });
  const leftovers = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith("s2am-isa-"));

  beforeAll(async () => {
    if (missing === null) child = await bundleScript(packageFile("bench", "isa", "child.ts"));
  });

  test.skipIf(missing !== null).each<[string, Workload]>([
    ["a network in f32", small],
    ["a network in f16", { ...small, dtype: "f16" }],
    ["a training step", { ...small, batch: 2, train: true }],
  ])("takes %s, without spills or scratch", async (_, workload) => {
    const compiled = await compile(workload);
    expect(compiled.map(({ family }) => family.name)).toEqual(["navi31", "vega10"]);
    for (const { family, figures: rows, used, driver } of compiled) {
      expect(driver).toMatch(/Mesa \d\d/);
      expect(rows.length).toBeGreaterThan(10);
      expect(used.length).toBeGreaterThan(20);
      for (const row of rows) {
        const name = `${family.name} ${row.shader} ${row.constants}`;
        const { spilledVgprs, spilledSgprs, scratch, waves, codeBytes } = row;
        expect({ name, spilledVgprs, spilledSgprs, scratch }).toEqual({
          name,
          spilledVgprs: 0,
          spilledSgprs: 0,
          scratch: 0,
        });
        expect(waves, name).toBeGreaterThanOrEqual(1);
        expect(codeBytes, name).toBeGreaterThan(0);
        expect(row.loop.instructions, name).toBeGreaterThan(1);
      }
      const products = rows.filter(({ shader }) => /implicit_gemm|matmul_tiled/.test(shader));
      expect(products.length).toBeGreaterThan(1);
      for (const { loop } of products) expect(loop).toMatchObject({ whole: 0 });
      for (const row of products) expect(multiplyAddShare(row) ?? 0).toBeGreaterThan(0.2);
    }
    expect(existsSync(child)).toBe(true);
  });

  test.skipIf(missing !== null)("finds the matrix units of RDNA 3, and none before", async () => {
    const workload: Workload = { ...small, arch: "unet", dtype: "f16", matrixUnits: true };
    await expect(compile(workload)).rejects.toThrow(/^vega10: matrix units cannot be used/);
    const [navi31] = await compileFamilies({
      workload,
      families: families.slice(0, 1),
      child,
      standIn: packageFile("bench", "isa", "null_vulkan.c"),
    });
    const kernels = navi31?.figures.filter(({ shader }) => shader === "conv2d_subgroup_matrix") ?? [];
    expect(kernels.length).toBeGreaterThan(0);
    for (const { loop, lanes } of kernels) expect([loop.matrix % 8, loop.matrix > 0, lanes]).toEqual([0, true, 64]);
  });

  test.skipIf(missing !== null)("interrupted, it leaves nothing behind", async () => {
    const before = leftovers();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 1500);
    await expect(compile(small, controller.signal)).rejects.toThrow(AbortedError);
    expect(leftovers().filter((name) => !before.includes(name))).toEqual([]);
  });
});
