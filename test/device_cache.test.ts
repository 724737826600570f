/** The bundled adapter's files: unpacked once, whole, by one of many processes, to where they can be trusted. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { bundleScript, runScript } from "./helpers/run_script.js";

let script: string;
let scratch: string;
beforeAll(async () => {
  script = await bundleScript(new URL("./helpers/scripts/open_devices.ts", import.meta.url).pathname);
});
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "s2am-cache-"));
});
afterEach(() => rmSync(scratch, { recursive: true }));

async function openBundled(env: Record<string, string>): Promise<{ choice?: string; error?: string; code?: string }> {
  const result = await runScript(script, { args: ["bundled"], env });
  expect(result, result.stderr).toMatchObject({ code: 0 });
  return JSON.parse(result.stdout);
}

const cacheOf = (folder: string): string => join(folder, "s2am-webgpu");

/** The one unpacked folder, and nothing left beside it. */
function onlyFolder(parent: string): string {
  const names = readdirSync(parent);
  expect(names).toHaveLength(1);
  return join(parent, names[0] ?? "");
}

test("unpacks to XDG_CACHE_HOME, privately, and uses it again", async () => {
  const env = { XDG_CACHE_HOME: scratch };
  expect(await openBundled(env)).toMatchObject({ choice: "bundled" });
  const library = join(onlyFolder(cacheOf(scratch)), "libvk_swiftshader.so");
  expect(statSync(cacheOf(scratch)).mode & 0o077).toBe(0);
  const before = statSync(library).ino;
  expect(await openBundled(env)).toMatchObject({ choice: "bundled" });
  expect(statSync(library).ino).toBe(before);
});

test("many processes at once leave one whole folder", async () => {
  const opened = await Promise.all(Array.from({ length: 5 }, () => openBundled({ XDG_CACHE_HOME: scratch })));
  for (const one of opened) expect(one).toMatchObject({ choice: "bundled" });
  onlyFolder(cacheOf(scratch));
});

test.each(["libvk_swiftshader.so", "libvulkan.so.1", "files.json"])("a damaged %s is replaced", async (file) => {
  const env = { XDG_CACHE_HOME: scratch };
  await openBundled(env);
  const path = join(onlyFolder(cacheOf(scratch)), file);
  const size = statSync(path).size;
  truncateSync(path, Math.floor(size / 2));
  expect(await openBundled(env)).toMatchObject({ choice: "bundled" });
  onlyFolder(cacheOf(scratch));
  expect(statSync(path).size).toBe(size);
});

test("a cache that cannot be written gives way to the temporary folder", async () => {
  const file = join(scratch, "a file");
  writeFileSync(file, "");
  expect(await openBundled({ XDG_CACHE_HOME: join(file, "cache"), TMPDIR: scratch })).toMatchObject({
    choice: "bundled",
  });
  onlyFolder(join(scratch, `s2am-webgpu-${process.getuid?.() ?? 0}`));
});

test("a folder that others may write is not trusted", async () => {
  mkdirSync(cacheOf(scratch));
  chmodSync(cacheOf(scratch), 0o777);
  const temporary = join(scratch, "tmp");
  mkdirSync(temporary);
  expect(await openBundled({ XDG_CACHE_HOME: scratch, TMPDIR: temporary })).toMatchObject({ choice: "bundled" });
  expect(readdirSync(cacheOf(scratch))).toEqual([]);
});

test("nowhere to write is an error that names the cure", async () => {
  const file = join(scratch, "a file");
  writeFileSync(file, "");
  const answer = await openBundled({ XDG_CACHE_HOME: join(file, "cache"), TMPDIR: join(file, "tmp") });
  expect(answer.code).toBe("ADAPTER");
  expect(answer.error).toMatch(/nowhere to unpack .*set XDG_CACHE_HOME to a writable folder/);
});
