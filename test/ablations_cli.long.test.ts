/** `--without` on the command line: a training that lacks parts of S2AM, and every command that loads what it made. */
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { serializeNpy } from "../src/io/npy.js";
import { parseSafetensors, serializeSafetensors } from "../src/io/safetensors.js";
import { workspace } from "./helpers/command_line.js";
import { DataFolder } from "./helpers/datasets.js";
import { readOnnx } from "./helpers/onnx_interpreter.js";

const work = workspace();
const data = new DataFolder();
const TINY = ["--width", "8", "--size", "32", "--batch", "2", "--no-augment"];
const hashOf = (name: string): string => createHash("sha256").update(work.read(name)).digest("hex");
const weights = (name: string) => parseSafetensors(work.read(name));
const train = (...args: readonly string[]) => ["train", "--data", data.path("photos"), ...TINY, ...args];

beforeAll(async () => {
  await data.flat("photos", 4);
  work.write("x.npy", serializeNpy([1, 4, 32, 32], new Float32Array(4 * 32 * 32).fill(0.5)));
  await work.done(train("--without", "learned,mixed", "--steps", "4", "--out", "run"));
  const { tensors } = weights("run/last.safetensors");
  work.write("bare.safetensors", serializeSafetensors(tensors, {})); // as others' files, which do not say
});

describe("a training without parts", () => {
  test("keeps them in its settings and its weights' metadata", () => {
    const { metadata, tensors } = weights("run/last.safetensors");
    expect(metadata).toMatchObject({ arch: "s2ad", without: "mixed,learned" });
    expect([...tensors.keys()].filter((key) => /mixed_attention|connection/.test(key))).toEqual([]);
    expect([...tensors.keys()].filter((key) => /spliced_attention/.test(key))).toHaveLength(12);
    const settings = JSON.parse(new TextDecoder().decode(work.read("run/config.json")));
    expect(settings.without).toEqual(["mixed", "learned"]);
  });

  test("goes on to the same bits, said again or not, and as nothing else", async () => {
    const cut = train("--without", "mixed,learned", "--steps", "2", "--out", "cut");
    await work.done(cut);
    await work.done(["train", "--resume", "cut", "--steps", "4", "--without", "learned,mixed"]);
    expect(hashOf("cut/last.safetensors")).toBe(hashOf("run/last.safetensors"));
    await work.refused(
      ["train", "--resume", "cut", "--without", "gates"],
      /cut was trained with without \["mixed","learned"\], not \["gates"\]/,
    );
    await work.refused(["train", "--resume", "cut", "--without", "none"], /not \[\]/);
  });

  test("takes them from a settings file", async () => {
    work.write("settings.json", JSON.stringify({ data: data.path("photos"), without: ["learned", "mixed"], steps: 4 }));
    await work.done(["train", "--config", "settings.json", ...TINY, "--out", "from-file"]);
    expect(hashOf("from-file/last.safetensors")).toBe(hashOf("run/last.safetensors"));
    const { code, stdout } = await work.s2am([
      ...["train", "--config", "settings.json", ...TINY, "--without", "none", "--dry-run", "--json"],
    ]);
    expect({ code, without: JSON.parse(stdout).config.without }).toEqual({ code: 0, without: [] });
  });

  test("is planned with fewer parameters, and says so", async () => {
    const plan = async (...args: readonly string[]) => JSON.parse((await work.s2am(args)).stdout);
    const args = train("--steps", "1", "--dry-run", "--json");
    const [whole, ablated] = [await plan(...args), await plan(...args, "--without", "learned")];
    expect(ablated.trainedParameters).toBeLessThan(whole.trainedParameters);
    const { stdout } = await work.s2am(train("--steps", "1", "--dry-run", "--without", "learned,gates"));
    expect(stdout).toMatch(/^s2ad of width 8, 5 levels, without gates,learned, 32 x 32, batch 2$/m);
  });

  test("starts from ablated weights, and brings their parts", async () => {
    await work.done(train("--init", "run/last.safetensors", "--steps", "1", "--out", "again"));
    expect(weights("again/last.safetensors").metadata.without).toBe("mixed,learned");
    const bare = ["--init", "bare.safetensors", "--steps", "1"];
    await work.refused(train(...bare, "--out", "new"), /say --without mixed,learned/);
    await work.done(train(...bare, "--without", "mixed,learned", "--out", "bare"));
    expect(weights("bare/last.safetensors").metadata.without).toBe("mixed,learned");
    await work.refused(
      train("--init", "run/last.safetensors", "--without", "gates", "--steps", "1", "--out", "new"),
      /run\/last\.safetensors: not the weights of s2ad.*without gates/,
    );
  });

  test.each([
    [["--without", "mask"], /--without must be one of gates, mixed, blur, learned, got "mask"/],
    [["--without", ""], /--without must be/],
    [["--without", "blur", "--arch", "unet"], /unet has no S2AM to leave out blur of/],
    [["--without", "gates,mixed,learned"], /S2AM is the identity/],
    [["--without", "blur", "--blur", "paper"], /give one of the two/],
  ])("refuses %j", (args, message) => work.refused(train("--steps", "1", "--out", "new", ...args), message));
});

describe("commands that load weights", () => {
  const [said, bare] = [
    ["--weights", "run/last.safetensors"],
    ["--weights", "bare.safetensors"],
  ];
  const flag = ["--without", "mixed,learned"];
  const run = ["run", "--input", "x.npy", "--output", "y.npy"];

  test("run: by the metadata, or by the option, to the same output", async () => {
    await work.done([...run, ...said]);
    const first = hashOf("y.npy");
    await work.done([...run, ...bare, ...flag]);
    expect(hashOf("y.npy")).toBe(first);
  });

  test.each([
    ["run", [...run, ...bare]],
    ["export", ["export", ...bare, "--onnx", "o.onnx"]],
    ["convert", ["convert", "bare.safetensors", "b.pth"]],
  ])("%s: refuses weights that do not say, with the cure", (_, args) =>
    work.refused(args, /bare\.safetensors: .*say --without mixed,learned/),
  );

  test("harmonize and eval", async () => {
    const pair = [data.path("photos", "x0.png"), data.path("photos", "x0_mask.png")];
    await work.done(["harmonize", ...pair, "-o", "h.png", ...said]);
    await work.done(["eval", "--data", data.path("photos"), ...bare, ...flag]);
    const { code, stderr } = await work.s2am(["harmonize", ...pair, "-o", "no.png", ...bare]);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringMatching(/say --without mixed,learned/) });
    expect(work.exists("no.png")).toBe(false);
  });

  test("convert: to PyTorch and back, with what the file lacks written into it", async () => {
    expect(await work.done(["convert", "bare.safetensors", "c.pth", ...flag])).toMatchObject({
      arch: "s2ad",
      without: ["mixed", "learned"],
    });
    await work.done(["convert", "c.pth", "c.safetensors"]);
    const { metadata, tensors } = weights("c.safetensors");
    expect(metadata.without).toBe("mixed,learned");
    const keys = [...weights("bare.safetensors").tensors.keys()];
    expect(keys.filter((key) => !tensors.has(key))).toEqual([]);
    await work.done([...run, "--weights", "c.pth"]);
    const first = hashOf("y.npy");
    await work.done([...run, ...said]);
    expect(hashOf("y.npy")).toBe(first);
  });

  test("export: fewer nodes, and the parts in the model's metadata", async () => {
    const report = await work.done(["export", ...said, "--onnx", "o.onnx"]);
    expect(report.without).toEqual(["mixed", "learned"]);
    const model = readOnnx(work.read("o.onnx"));
    const metadata = Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value]));
    expect(metadata.without).toBe("mixed,learned");
    expect((model.graph?.node ?? []).filter(({ opType }) => opType === "Elu")).toEqual([]);
  });

  test("refuse a part that there is not", () =>
    work.refused([...run, ...said, "--without", "mask"], /--without.*parts of S2AM .*got "mask"/));
});
