/**
 * The shape of the sources: imports point one way, only Node's own files know Node, files stay small, and no shader lies
 * about unused.
 */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, extname, join, normalize } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { packageFile } from "../src/package.node.js";

/** What each part of src/ may import besides itself. A part is a folder, or a file that stands alone. */
const GROUND = ["errors", "random", "crc32", "float16", "version"];
const GPU = [...GROUND, "gpu"];
const TUNING = [...GPU, "tuning"];
const GRAPH = [...TUNING, "graph"];
const KERNELS = [...GRAPH, "kernels", "shaders.generated"];
const AUTOGRAD = [...KERNELS, "autograd"];
const MODEL = [...AUTOGRAD, "model", "io"];
const USERS = [...MODEL, "image"];
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  random: [],
  crc32: [],
  version: [],
  float16: [],
  "package.node": [],
  image: GROUND,
  io: GROUND,
  data: [...GROUND, "image", "io"],
  gpu: GROUND,
  "shaders.generated": ["gpu"],
  // What is known of adapters' speeds; the tuner, which measures them, stands above the kernels.
  tuning: [...GPU, "io"],
  graph: TUNING,
  kernels: KERNELS,
  tuner: KERNELS,
  autograd: AUTOGRAD,
  model: MODEL,
  harmonizer: USERS,
  train: [...USERS, "data"],
  index: [...USERS, "tuner", "harmonizer", "data", "train"],
  node: [...USERS, "tuner", "harmonizer", "data", "train", "index", "package.node"],
  cli: [...USERS, "tuner", "harmonizer", "data", "train", "index", "node", "package.node"],
};
/** Folders beside src/ whose code goes into dist/, and what of src/ each may import. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  bench: [...(ALLOWED.cli ?? []), "cli"],
  examples: ALLOWED.cli ?? [],
  web: ["index"],
};
/** Packages that know no platform, and may go into the browser's bundle. */
const BROWSER_SAFE = ["valibot", "pbf"];
const MOST_LINES = 350;
const LONGER_MAY_BE = ["src/shaders.generated.ts", "scripts/reference/s2am_reference.py"];

const root = packageFile();
const read = (file: string): string => readFileSync(join(root, file), "utf8");

function filesIn(folder: string, ...extensions: string[]): string[] {
  if (!statSync(join(root, folder), { throwIfNoEntry: false })) return [];
  return (
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      // bench/peers has packages of its own, once they are installed.
      .filter((name) => extensions.includes(extname(name)) && !name.split("/").includes("node_modules"))
      .map((name) => join(folder, name))
      .sort()
  );
}

interface Import {
  readonly from: string;
  /** A file of the repository, else the name of a package or builtin. */
  readonly to: string;
  readonly isFile: boolean;
}

/** Imports, re-exports and dynamic imports, those of types among them. */
function importsOf(file: string): Import[] {
  return ts.preProcessFile(read(file), true, true).importedFiles.map(({ fileName }) => {
    const isFile = fileName.startsWith(".");
    const to = isFile ? normalize(join(dirname(file), fileName.replace(/\.js$/, ".ts"))) : fileName;
    return { from: file, to, isFile };
  });
}

/** `src/gpu/device.ts` is of `gpu`, `src/index.ts` of `index`; null outside src/. */
function partOf(file: string): string | null {
  const [top, part = "", ...rest] = file.split("/");
  if (top !== "src") return null;
  return rest.length > 0 ? part : part.replace(/\.ts$/, "");
}

const isNodeFile = (file: string): boolean =>
  file === "src/node.ts" || file.startsWith("src/cli/") || file.endsWith(".node.ts");

const sources = filesIn("src", ".ts");
const imports = sources.flatMap(importsOf);
const arrow = ({ from, to }: Import): string => `${from} imports ${to}`;

describe("imports", () => {
  test("every part of src/ is known here", () => {
    const parts = new Set(sources.map((file) => partOf(file) ?? ""));
    expect([...parts].filter((part) => !(part in ALLOWED))).toEqual([]);
  });

  test("point one way", () => {
    const wrong = imports.filter(({ from, to, isFile }) => {
      const [importer, imported] = [partOf(from) ?? "", partOf(to)];
      if (!isFile || importer === imported) return false;
      // The command line's bench lives in bench/.
      if (imported === null) return !(importer === "cli" && to.startsWith("bench/"));
      return !ALLOWED[importer]?.includes(imported);
    });
    expect(wrong.map(arrow)).toEqual([]);
  });

  test("autograd takes only add and fill from the kernels", () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        partOf(from) === "autograd" && partOf(to) === "kernels" && !/\/(elementwise|fill)\/op\.ts$/.test(to),
    );
    expect(wrong.map(arrow)).toEqual([]);
  });

  test("of Node, dawn and codecs are in Node's files alone", () => {
    const wrong = imports.filter(({ from, to, isFile }) => !isFile && !isNodeFile(from) && !BROWSER_SAFE.includes(to));
    expect(wrong.map(arrow)).toEqual([]);
  });

  test("of packages are in package.json", () => {
    const { dependencies, optionalDependencies } = JSON.parse(read("package.json"));
    const known = new Set(Object.keys({ ...dependencies, ...optionalDependencies }));
    const packages = imports.filter(({ to, isFile }) => !isFile && !isBuiltin(to));
    expect(packages.filter(({ to }) => !known.has(to)).map(arrow)).toEqual([]);
  });

  test("of Node's builtins carry the prefix node:", () => {
    expect(imports.filter(({ to }) => isBuiltin(to) && !to.startsWith("node:")).map(arrow)).toEqual([]);
  });

  test("from src/index.ts on reach no file of Node's", () => {
    const reached = new Set<string>();
    const pending = ["src/index.ts"];
    for (let file = pending.pop(); file; file = pending.pop()) {
      if (reached.has(file)) continue;
      reached.add(file);
      for (const { to, isFile } of importsOf(file)) if (isFile) pending.push(to);
    }
    expect(reached.size).toBeGreaterThan(20);
    expect([...reached].filter(isNodeFile)).toEqual([]);
  });

  test("beside src/ take what they may", () => {
    const wrong = Object.entries(BESIDE).flatMap(([folder, parts]) =>
      filesIn(folder, ".ts")
        .flatMap(importsOf)
        .filter(({ to }) => partOf(to) !== null && !parts.includes(partOf(to) ?? "")),
    );
    expect(wrong.map(arrow)).toEqual([]);
  });
});

test("no file is long", () => {
  const folders = ["src", "test", "bench", "scripts", "examples", "web", "shaders"];
  const long = folders
    .flatMap((folder) => filesIn(folder, ".ts", ".mjs", ".py", ".wgsl", ".css"))
    .map((file) => ({ file, lines: read(file).split("\n").length - 1 }))
    .filter(({ file, lines }) => lines > MOST_LINES && !LONGER_MAY_BE.includes(file));
  expect(long).toEqual([]);
});

describe("shaders", () => {
  // The bench has yardsticks of its own.
  const users = [...sources, ...filesIn("bench", ".ts")];
  const used = (file: string): boolean => {
    const name = file.replace(/^shaders\/|\.wgsl$/g, "");
    if (name.startsWith("lib/")) return shaders.some((other) => read(other).includes(`// use ${name}\n`));
    return users.some((source) => shaderNames(source).has(name));
  };
  const shaderNames = (file: string): Set<string> => {
    const [, names = ""] = /import \{([^}]*)\} from "[./]+(?:src\/)?shaders\.generated\.js"/.exec(read(file)) ?? [];
    return new Set(names.split(",").map((name) => name.trim().split(" ")[0] ?? ""));
  };
  const shaders = filesIn("shaders", ".wgsl");

  test.each(shaders)("%s is used", (file) => expect(used(file)).toBe(true));
});
