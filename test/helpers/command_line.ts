/** The command line as a child process, in a folder of its own, and the small files to give it. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect } from "vitest";
import { decodeImage, encodeImage } from "../../src/image/codec.node.js";
import type { Image } from "../../src/image/image.js";
import { serializeSafetensors } from "../../src/io/safetensors.js";
import type { HostTensor } from "../../src/io/tensor_data.js";
import type { Arch } from "../../src/model/config.js";
import { initialTensors } from "../../src/model/init.js";
import { packageFile } from "../../src/package.node.js";
import { type ProcessResult, type RunOptions, runScript } from "./run_script.js";

export const CLI = packageFile("dist", "cli.js");

export class Workspace {
  readonly folder = mkdtempSync(join(tmpdir(), "s2am-cli-"));

  path = (name: string): string => join(this.folder, name);
  write = (name: string, bytes: Uint8Array | string): void => writeFileSync(this.path(name), bytes);
  read = (name: string): Uint8Array => readFileSync(this.path(name));
  exists = (name: string): boolean => existsSync(this.path(name));
  list = (): string[] => readdirSync(this.folder).sort();
  picture = async (name: string, image: Image): Promise<void> =>
    this.write(name, await encodeImage(image, name.endsWith(".png") ? "png" : "jpeg"));
  decode = (name: string): Promise<Image> => decodeImage(this.path(name));

  /** Runs the command line in this folder, on the adapter of the tests. */
  s2am(args: readonly string[], options: RunOptions = {}): Promise<ProcessResult> {
    const env = { S2AM_ADAPTER: process.env.S2AM_ADAPTER || "bundled", ...options.env };
    return runScript(CLI, { timeoutMs: 60_000, cwd: this.folder, ...options, args, env });
  }

  /** Runs what must succeed. @returns the JSON document on stdout */
  async done(args: readonly string[], options: RunOptions = {}): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await this.s2am([...args, "--json"], options);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.not.stringContaining("s2am:") });
    return JSON.parse(stdout);
  }

  /**
   * Runs what must be refused: exit code 2, one message without a stack, nothing on stdout, no file made.
   * @param before whether it must come before a device is opened
   */
  async refused(
    args: readonly string[],
    message: RegExp,
    { before = true, ...options }: RunOptions & { before?: boolean } = {},
  ): Promise<void> {
    const files = this.list();
    const { code, stdout, stderr } = await this.s2am([...args, "--json"], options);
    expect({ code, stdout, stderr }).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(message) });
    expect(stderr).not.toMatch(/^ +at /m);
    if (before) expect(stderr).not.toMatch(/^adapter:/m);
    expect(this.list()).toEqual(files);
  }
}

/** A workspace that is removed after the file's tests. */
export function workspace(): Workspace {
  const made = new Workspace();
  afterAll(() => rmSync(made.folder, { recursive: true, force: true }));
  return made;
}

const METADATA = { levels: "5", global_skip: "true", blur: "code" };

/**
 * Random weights of a network so small that its kernels compile in about a second. They are drawn as without the global
 * skip: with it, training starts from a last layer of zeros, and the network would change nothing.
 */
export const tinyTensors = (arch: Arch = "unet", width = 4): Map<string, HostTensor> =>
  initialTensors({ arch, width, levels: 5, globalSkip: false, blur: "code" }, 1);

/** The bytes of a safetensors file of `tinyTensors`, changed at will. */
export function tinyWeights(change: (tensors: Map<string, HostTensor>) => void = () => {}): Uint8Array {
  const tensors = tinyTensors();
  change(tensors);
  return serializeSafetensors(tensors, { arch: "unet", width: "4", ...METADATA });
}

/** An 8-bit gray mask: white inside the box, black outside. */
export function boxMask(
  width: number,
  height: number,
  [x0, y0, x1, y1]: readonly [number, number, number, number],
): Image {
  const data = new Uint8Array(width * height);
  for (let y = y0; y < y1; y++) data.fill(255, y * width + x0, y * width + x1);
  return { width, height, channels: 1, depth: 8, data };
}
