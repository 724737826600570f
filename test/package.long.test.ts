/**
 * The package as a stranger gets it: packed, installed into an empty project, and used from the command line, from a
 * module and from TypeScript. Packages come from npm's cache where it has them, else from the registry.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageFile } from "../src/package.node.js";

const scratch = mkdtempSync(join(tmpdir(), "s2am-package-"));
const [composite, mask] = ["table.png", "table_mask.png"].map((name) => packageFile("examples", name)) as [
  string,
  string,
];
const QUIET = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];

function runIn(folder: string, command: string, ...args: readonly string[]): string {
  const env = { ...process.env, S2AM_ADAPTER: "bundled" };
  try {
    return execFileSync(command, args, { cwd: folder, encoding: "utf8", env, stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}\n${stderr}`);
  }
}

/** Built and packed from a copy, so that dist/ is not pulled away from under other tests. */
function pack(): string {
  const copy = join(scratch, "copy");
  const leaveOut = ["node_modules", ".git", "dist", "out", "test"].map((name) => packageFile(name));
  cpSync(packageFile(), copy, { recursive: true, filter: (path) => !leaveOut.includes(path) });
  symlinkSync(packageFile("node_modules"), join(copy, "node_modules"));
  runIn(copy, "npm", "pack", "--pack-destination", scratch);
  const tarball = readdirSync(scratch).find((name) => name.endsWith(".tgz"));
  if (!tarball) throw new Error("npm pack left no tarball");
  return join(scratch, tarball);
}

function install(name: string, tarball: string, ...flags: readonly string[]): string {
  const folder = mkdtempSync(join(scratch, name));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "stranger", private: true, type: "module" }));
  runIn(folder, "npm", "install", ...QUIET, ...flags, tarball);
  return folder;
}

let tarball: string;
let app: string;

beforeAll(() => {
  tarball = pack();
  app = install("app-", tarball);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test("the command line helps, and harmonizes with the weights in the box", () => {
  expect(runIn(app, "npx", "s2am", "--help")).toContain("s2am harmonize composite.jpg mask.png");
  const printed = runIn(app, "npx", "s2am", "harmonize", composite, mask, "-o", "out.jpg", "--json");
  expect(JSON.parse(printed)).toBeTypeOf("object");
  expect(existsSync(join(app, "out.jpg"))).toBe(true);
});

test("a module imports both entries and harmonizes", () => {
  writeFileSync(
    join(app, "use.js"),
    `import { Harmonizer, psnr } from "s2am-webgpu";
import { DEFAULT_WEIGHTS, decodeImage, openHarmonizer } from "s2am-webgpu/node";
const [image, mask] = await Promise.all(process.argv.slice(2).map((path) => decodeImage(path)));
const { harmonizer, close } = await openHarmonizer(DEFAULT_WEIGHTS());
const result = await harmonizer.harmonize({ image, mask });
await close();
console.log(typeof Harmonizer, result.image.width, result.image.height, psnr(image, result.image) > 20);`,
  );
  expect(runIn(app, process.execPath, "use.js", composite, mask)).toBe("function 512 344 true\n");
});

test("without sharp PNG works, and JPEG says what is missing", () => {
  rmSync(join(app, "node_modules/sharp"), { recursive: true });
  runIn(app, "npx", "s2am", "harmonize", composite, mask, "-o", "out.png");
  expect(() => runIn(app, "npx", "s2am", "harmonize", composite, mask, "-o", "again.jpg")).toThrow(/npm install sharp/);
});

describe("TypeScript, every check on", () => {
  beforeAll(() => {
    writeFileSync(
      join(app, "main.ts"),
      `import { compile, Harmonizer, type HarmonizeResult, InputError, input, openBrowserDevice, Runtime, relu } from "s2am-webgpu";
import { decodeImage, DEFAULT_WEIGHTS, encodeImage, type Image, openDevice, openHarmonizer } from "s2am-webgpu/node";
const { harmonizer, close } = await openHarmonizer(DEFAULT_WEIGHTS(), { open: { adapter: "bundled" } });
const image: Image = await decodeImage("composite.png");
const result: HarmonizeResult<Image> = await harmonizer.harmonize({ image, mask: await decodeImage("mask.png") });
const png: Uint8Array = await encodeImage(result.image, "png");
const opened = await openDevice();
const device: GPUDevice = opened.device;
const plan = await compile(new Runtime(device), { y: relu(input("x", [1, 4, 4, 4])) });
// @ts-expect-error a width is a number: types are there, and are not any
const width: string = result.image.width;
await close();
console.log(png.length, plan.parts.weightBytes, width, Harmonizer, InputError, openBrowserDevice);
`,
    );
  });

  test.each([
    { module: "nodenext", moduleResolution: "nodenext", lib: ["es2022"] },
    { module: "node16", moduleResolution: "node16", lib: ["es2022", "dom"] },
    { module: "esnext", moduleResolution: "bundler", lib: ["es2022", "dom", "dom.iterable"] },
  ])("$moduleResolution, $lib", (options) => {
    const strict = {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      skipLibCheck: false,
    };
    const compilerOptions = { ...options, ...strict, target: "es2022", types: ["node"], noEmit: true };
    const typeRoots = [packageFile("node_modules/@types")];
    const config = { compilerOptions: { ...compilerOptions, typeRoots }, files: ["main.ts"] };
    writeFileSync(join(app, "tsconfig.json"), JSON.stringify(config));
    runIn(app, process.execPath, packageFile("node_modules/typescript/bin/tsc"), "-p", ".");
  });
});
