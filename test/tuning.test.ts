/** Tuning tables: what is read, refused and ignored; whose they are; which wins; where browsers keep them. No GPU. */
import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { InputError } from "../src/errors.js";
import type { AdapterDescription } from "../src/gpu/device.js";
import { type Capabilities, defineOp, type Problem, type TensorView, type Variant } from "../src/graph/op.js";
import { problemKey, select } from "../src/graph/select.js";
import { packageFile, packageVersion } from "../src/package.node.js";
import { choose } from "../src/tuner/choose.js";
import { forgetTuning, loadTuning, saveTuning } from "../src/tuning/browser_cache.js";
import { hasTuning, tuningOf, useTuning } from "../src/tuning/device_tuning.js";
import { type AdapterIdentity, adapterIdentity, identityName, sameAdapter } from "../src/tuning/identity.js";
import { shippedTables } from "../src/tuning/shipped.js";
import { assertAdapter, emptyTuning, parseTuning, serializeTuning, tableOf, withEntry } from "../src/tuning/table.js";
import { ENGINE_VERSION } from "../src/version.js";
import { FakeCaches } from "./helpers/fake_caches.js";

const LAVAPIPE: AdapterIdentity = {
  vendor: "mesa",
  architecture: "software",
  device: "llvmpipe-256bits",
  subgroups: [8, 8],
  driver: "llvmpipe: Mesa 25.0.7 (LLVM 15.0.6)",
};
const ENTRY = { variant: "direct", ms: 1, default: "vec4", defaultMs: 2 };
const KEY = "toy 1x3x3x4 {}";
const FILE = withEntry(emptyTuning(LAVAPIPE), KEY, ENTRY);

/** A device as far as its adapter's identity goes. */
const deviceOf = (info: Partial<GPUAdapterInfo>): GPUDevice =>
  ({
    adapterInfo: { subgroupMinSize: 8, subgroupMaxSize: 8, ...info },
    features: new Set(),
    limits: {},
    queue: {},
  }) as unknown as GPUDevice;
const lavapipe = () =>
  deviceOf({ vendor: "mesa", architecture: "software", device: "llvmpipe-llvm-19-1-7-256-bits-", description: "x" });
const other = () => deviceOf({ vendor: "acme", architecture: "rocket", device: "rocket-1" });

test("the engine's version is the package's", () => expect(ENGINE_VERSION).toBe(packageVersion()));

describe("an adapter's identity", () => {
  const named = (device: string): AdapterIdentity =>
    adapterIdentity({
      vendor: "Mesa",
      architecture: "software",
      device,
      description: "",
      subgroupMinSize: 8,
      subgroupMaxSize: 8,
    } as AdapterDescription);

  test.each([
    ["llvmpipe (LLVM 15.0.6, 256 bits)", "llvmpipe-256bits"],
    ["llvmpipe-llvm-19-1-7-128-bits-", "llvmpipe-128bits"],
    ["SwiftShader Device (Subzero)", "swiftshader-device-subzero"],
    ["SwiftShader Device (LLVM 10.0.0)", "swiftshader-device"],
    ["AMD Radeon Graphics (RADV RENOIR)", "amd-radeon-graphics-radv-renoir"],
    ["NVIDIA GeForce RTX 4090", "nvidia-geforce-rtx-4090"],
    ["Intel(R) UHD Graphics 620 (KBL GT2)", "intel-r-uhd-graphics-620-kbl-gt2"],
  ])("of %s leaves out the driver's version: %s", (device, expected) => expect(named(device).device).toBe(expected));

  test("is the same after an update, and another with other lanes", () => {
    expect(sameAdapter(LAVAPIPE, adapterIdentity(lavapipe()))).toBe(true);
    expect(sameAdapter(LAVAPIPE, { ...LAVAPIPE, driver: "another" })).toBe(true);
    expect(sameAdapter(LAVAPIPE, { ...LAVAPIPE, subgroups: [4, 4] })).toBe(false);
    expect(sameAdapter(LAVAPIPE, { ...LAVAPIPE, device: "llvmpipe-128bits" })).toBe(false);
    expect(sameAdapter(LAVAPIPE, adapterIdentity(other()))).toBe(false);
    expect(identityName(LAVAPIPE)).toBe("mesa-software-llvmpipe-256bits-8");
  });

  test("that a browser withholds in part is told by vendor and architecture; in whole, by nothing", () => {
    expect(sameAdapter(LAVAPIPE, { ...LAVAPIPE, device: "" })).toBe(true);
    const nothing = { vendor: "", architecture: "", device: "", subgroups: [0, 0], driver: "" } as const;
    expect(sameAdapter(LAVAPIPE, nothing)).toBe(false);
    expect(sameAdapter({ ...nothing, device: "x" }, nothing)).toBe(false);
    expect(sameAdapter(nothing, nothing)).toBe(true);
  });
});

describe("a table", () => {
  const changed = (change: object): string => JSON.stringify({ ...JSON.parse(serializeTuning(FILE)), ...change });

  test("is read as it was written, a problem a line", () => {
    const text = serializeTuning(FILE);
    expect(parseTuning(text, "x")).toEqual(FILE);
    expect(text.split("\n").filter((line) => line.includes(KEY))).toHaveLength(1);
    expect(parseTuning(serializeTuning(emptyTuning(LAVAPIPE)), "x").entries).toEqual({});
    expect(tableOf(FILE)).toEqual(new Map([[KEY, "direct"]]));
  });

  test.each([
    ["of nothing", "", /is not JSON/],
    ["cut short", serializeTuning(FILE).slice(0, -20), /is not JSON/],
    ["that is none", "[1]", /is no tuning table/],
    ["null", "null", /is no tuning table/],
    ["of an older version", changed({ version: 0 }), /is a tuning table of version 0, this engine reads 1/],
    ["of a newer version", changed({ version: 2 }), /of version 2/],
    ["with more in it", changed({ extra: 1 }), /extra/],
    ["without a date", changed({ date: "yesterday" }), /date/],
    ["with a time that is none", changed({ entries: { [KEY]: { ...ENTRY, ms: "1" } } }), /entries > toy.* > ms/],
    ["with a name that is none", changed({ entries: { [KEY]: { ...ENTRY, variant: "a b" } } }), /variant/],
    ["with half an adapter", changed({ adapter: { vendor: "mesa" } }), /adapter > architecture/],
  ])("%s is refused by name, with the cure", (_, text, message) => {
    const parse = () => parseTuning(text, "my.json");
    expect(parse).toThrow(InputError);
    expect(parse).toThrow(/^my\.json: .*: delete it, or make it anew with s2am tune$/);
    expect(parse).toThrow(message);
  });

  test("of another adapter is refused where somebody chose it", () => {
    expect(() => assertAdapter(FILE, LAVAPIPE, "my.json")).not.toThrow();
    expect(() => assertAdapter(FILE, adapterIdentity(other()), "my.json")).toThrow(
      "my.json: was measured on mesa software llvmpipe-256bits, subgroups of 8, this is acme rocket rocket-1, subgroups of 8",
    );
  });

  test("in the box is sound, and each is of another adapter", () => {
    const tables = shippedTables();
    expect(tables.length).toBeGreaterThan(0);
    for (const a of tables) expect(tables.filter((b) => sameAdapter(a.adapter, b.adapter))).toEqual([a]);
    for (const name of ["lavapipe", "swiftshader"]) {
      const text = readFileSync(packageFile("src", "tuning", "tables", `${name}.json`), "utf8");
      expect(serializeTuning(parseTuning(text, name)), `${name}.json is as s2am tune wrote it`).toBe(text);
    }
  });
});

describe("a choice", () => {
  const variant = (name: string): Variant<object> => ({
    name,
    features: [],
    accepts: ({ inputs }) => name !== "vec4" || (inputs[0]?.shape.at(-1) ?? 0) % 4 === 0,
    plan: () => ({ passes: [] }),
  });
  const op = defineOp<object>({
    name: "toy",
    infer: () => [],
    flops: () => 0,
    variants: ["tiled", "vec4", "direct"].map(variant),
  });
  const view = (channels: number, more: Partial<TensorView> = {}): TensorView => ({
    shape: [1, 3, 3, channels],
    dtype: "f32",
    pitch: channels,
    offset: 0,
    storage: 0,
    base: null,
    ...more,
  });
  const problem = (channels: number): Problem<object> => ({
    op: "toy",
    attrs: {},
    inputs: [view(channels)],
    outputs: [view(channels)],
  });
  const on: Capabilities = {
    features: new Set(),
    limits: {} as GPUSupportedLimits,
    subgroupSize: 0,
    software: false,
  };
  const says = (name: string) => new Map([[KEY, name]]);
  const chosen = (tuning: ReadonlyMap<string, string>[], forced?: string): string =>
    select(op, problem(4), on, forced, { tuning }).name;

  test("is the forced one, else the first table's that can run, else the heuristic's", () => {
    expect(chosen([says("vec4"), says("direct")], "tiled")).toBe("tiled");
    expect(chosen([says("vec4"), says("direct")])).toBe("vec4");
    expect(chosen([new Map(), says("direct")])).toBe("direct");
    expect(chosen([says("gone with an old version"), says("direct")])).toBe("direct");
    expect(chosen([says("gone with an old version")])).toBe("tiled");
    expect(chosen([])).toBe("tiled");
    const odd = select(op, problem(3), on, undefined, { tuning: [new Map([["toy 1x3x3x3 {}", "vec4"]])] });
    expect(odd.name).toBe("tiled");
  });

  test("hangs on views, constants and element types", () => {
    const keyOf = (input: TensorView, output = view(4)): string =>
      problemKey({ op: "toy", attrs: { a: 1 }, inputs: [input, null], outputs: [output] });
    expect(keyOf(view(4))).toBe('toy 1x3x3x4,- {"a":1}');
    expect(keyOf(view(4, { pitch: 8, offset: 4 }))).toBe('toy 1x3x3x4/8+4,- {"a":1}');
    expect(keyOf(view(4, { constant: true }))).toBe('toy const 1x3x3x4,- {"a":1}');
    expect(keyOf(view(4, { dtype: "f16" }))).toBe('toy 1x3x3x4:f16,- {"a":1}');
    expect(keyOf(view(4), view(4, { pitch: 8 }))).toBe('toy 1x3x3x4,- -> 1x3x3x4/8+0 {"a":1}');
  });
});

describe("what runtimes on a device choose by", () => {
  test("what ships, unless the user's own or nothing was said", () => {
    const device = lavapipe();
    const shipped = tuningOf(device);
    expect(shipped).toHaveLength(1);
    expect(hasTuning(device)).toBe(false);
    useTuning(device, [FILE]);
    expect(tuningOf(device)).toEqual([tableOf(FILE), ...shipped]);
    useTuning(device, "off");
    expect(tuningOf(device)).toEqual([]);
    expect(tuningOf(other())).toEqual([]);
  });

  test("nothing with S2AM_TUNING=off", () => {
    vi.stubEnv("S2AM_TUNING", "off");
    expect(tuningOf(lavapipe())).toEqual([]);
    vi.unstubAllEnvs();
  });
});

describe("a browser's cache", () => {
  test("keeps a table from visit to visit, one an adapter", async () => {
    const caches = new FakeCaches();
    expect(await loadTuning(lavapipe(), { caches })).toBeNull();
    await saveTuning(lavapipe(), FILE, { caches });
    const device = lavapipe();
    expect(await loadTuning(device, { caches })).toEqual(FILE);
    expect(tuningOf(device)[0]).toEqual(tableOf(FILE));
    expect(await loadTuning(other(), { caches })).toBeNull();
    expect(await forgetTuning(device, { caches })).toBe(true);
    expect(await forgetTuning(device, { caches })).toBe(false);
    expect(await loadTuning(lavapipe(), { caches })).toBeNull();
  });

  test("that is damaged is left alone, and said so", async () => {
    const caches = new FakeCaches();
    await saveTuning(lavapipe(), FILE, { caches });
    for (const [address] of caches.stored) caches.stored.set(address, "{");
    const device = lavapipe();
    const warnings: string[] = [];
    expect(await loadTuning(device, { caches, warn: (message) => warnings.push(message) })).toBeNull();
    expect(warnings).toEqual([expect.stringMatching(/cached tuning table https:.*is not JSON.*ignored/)]);
    expect(hasTuning(device)).toBe(false);
  });

  test("that holds another adapter's table gives none", async () => {
    const caches = new FakeCaches();
    await saveTuning(lavapipe(), { ...FILE, adapter: adapterIdentity(other()) }, { caches });
    expect(await loadTuning(lavapipe(), { caches })).toBeNull();
  });

  test("is not there outside browsers", async () => {
    expect(await loadTuning(lavapipe())).toBeNull();
    expect(await forgetTuning(lavapipe())).toBe(false);
  });
});

describe("the rule", () => {
  const ruled = (samples: Record<string, number[]>) => choose("old", new Map(Object.entries(samples)));

  test.each([
    ["a gain over the noise is taken", { old: [10, 10, 10], new: [9, 9, 9] }, "new"],
    ["less than a twenty-fifth is not", { old: [10, 10, 10], new: [9.7, 9.7, 9.7] }, "old"],
    ["nor one that does not hold in three rounds of four", { old: [10, 10, 10, 10], new: [8, 8, 12, 12] }, "old"],
    ["a machine that slows down changes nothing", { old: [10, 20, 40], new: [9, 18, 36] }, "new"],
    ["the fastest of those worthwhile", { old: [10, 10, 10], new: [9, 9, 9], newest: [5, 5, 5] }, "newest"],
    ["the fastest, where the default computed wrongly", { new: [9], newest: [10] }, "new"],
  ])("%s", (_, samples, expected) => expect(ruled(samples)?.variant).toBe(expected));

  test("says what it compared", () => {
    expect(ruled({ old: [10, 10, 10], new: [9.00001, 9, 9] })).toEqual({
      variant: "new",
      ms: 9,
      default: "old",
      defaultMs: 10,
    });
    expect(ruled({ new: [9] })).toEqual({ variant: "new", ms: 9, default: "old", defaultMs: null });
    expect(ruled({ old: [] })).toBeNull();
  });
});
