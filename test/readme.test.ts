/** What the README tells people to type is typed here: the harmonizing commands, and the program in Node. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { packageFile } from "../src/package.node.js";
import { boxMask, tinyWeights, workspace } from "./helpers/command_line.js";
import { pattern } from "./image_fixtures.js";

const work = workspace();
const readme = readFileSync(packageFile("README.md"), "utf8");
const [W, H] = [640, 480];

beforeAll(async () => {
  work.write("tiny.safetensors", tinyWeights());
  for (const folder of ["folder", "frames"]) mkdirSync(work.path(folder));
  for (const name of ["composite.jpg", "photo.jpg", "folder/a.jpg", "frames/1.jpg", "frames/2.jpg"])
    await work.picture(name, pattern(W, H));
  await work.picture("composite.png", pattern(W, H));
  await work.picture("cutout.png", pattern(W, H, 4));
  for (const name of ["mask.png", "sofa.png", "folder/a_mask.png", "frames/1_mask.png", "frames/2_mask.png"]) {
    await work.picture(name, boxMask(W, H, [340, 200, 500, 400]));
  }
  await work.picture("cat.png", boxMask(W, H, [60, 300, 160, 420]));
});

const commands = readme
  .split("\n")
  .map((line) => line.replace(/\s+#.*/, "").trim())
  .filter((line) => line.startsWith("npx s2am harmonize "));

describe("the commands", () => {
  test("are there", () => expect(commands.length).toBeGreaterThan(4));

  test.each(commands.filter((line) => !line.includes("--weights")))("%s", async (line) => {
    const args = line.replace("npx s2am ", "").split(/\s+/);
    const result = await work.done([...args, "--weights", "tiny.safetensors", "--working-size", "64"]);
    if (!args.includes("folder/") && !args.includes("frames/"))
      expect(await work.decode(String(result.output))).toMatchObject({ width: W, height: H });
  });
});

test("the program", () => {
  const [, program = ""] = /```js\n(import [^`]*s2am-webgpu\/node[^`]*)```/.exec(readme) ?? [];
  expect(program).toContain("openHarmonizer");
  const code = program
    .replace('"s2am-webgpu/node"', JSON.stringify(packageFile("dist", "node.js")))
    .replace("DEFAULT_WEIGHTS()", '"tiny.safetensors"');
  const env = { ...process.env, S2AM_ADAPTER: process.env.S2AM_ADAPTER || "bundled" };
  const ending = "\nconsole.log(image.width, image.height);\nprocess.exit(0);";
  work.write("program.mjs", code + ending);
  const printed = execFileSync(process.execPath, ["program.mjs"], { cwd: work.folder, env, encoding: "utf8" });
  expect(printed).toBe(`${W} ${H}\n`);
});
