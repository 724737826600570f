/** `s2am run`: the bare network on an array, for comparing with other frameworks. */
import { Command } from "commander";
import { InputError, UsageError } from "../errors.js";
import { assertMemory } from "../gpu/host_memory.node.js";
import type { DType } from "../graph/tensor.js";
import { fromPlanar, toPlanar } from "../image/float.js";
import { withFileSource } from "../io/file_source.node.js";
import { assertWritable, sameFile, writeFileAtomic } from "../io/file_write.node.js";
import { type NpyArray, parseNpy, serializeNpy } from "../io/npy.js";
import { firstNonFinite } from "../io/tensor_data.js";
import { sizeMultiple } from "../model/config.js";
import { type DtypeError, dtypeErrorOf, showDtypeError } from "../model/dtype_error.js";
import { causeOfNonFinite, Network, type NetworkShape } from "../model/network.js";
import type { ModelOptions } from "../model/weights.js";
import { type CommandContext, type CommonOptions, printResult, withCommonOptions } from "./app.js";
import {
  checkMatrixOption,
  type KernelKind,
  modelFromFile,
  withDeviceOptions,
  withDtypeOption,
  withModelFlags,
} from "./model_options.js";
import { withDevice } from "./session.js";

interface RunOptions extends CommonOptions, ModelOptions {
  readonly weights: string;
  readonly input: string;
  readonly output: string;
  readonly adapter?: string;
  readonly tuning?: string | boolean;
  readonly unsafeFast?: boolean;
  readonly kernelsFor?: KernelKind;
  readonly dtype: DType;
  readonly matrixUnits?: boolean;
}

interface RunReport {
  readonly output: string;
  readonly shape: readonly number[];
  readonly arch: string;
  readonly width: number;
  readonly levels: number;
  readonly adapter: string;
  readonly dtype: DType;
  readonly ms: number;
  readonly gpuMs: number | null;
  /** With dtype f16. */
  readonly f16Error?: DtypeError;
}

const EXAMPLES = `
Examples:
  s2am run --weights model_best.pth.tar --input x.npy --output y.npy
  s2am run --weights s2ad.safetensors --input x.npy --output y.npy --adapter bundled --json`;

export function runCommand({ note }: CommandContext): Command {
  const command = new Command("run")
    .description("run the network on a NumPy array: [B,4,H,W] float32 in, [B,3,H,W] out, as it comes from the network")
    .requiredOption("--weights <file>", ".safetensors, .pth or .pth.tar")
    .requiredOption(
      "--input <x.npy>",
      "C-order little-endian float32 [B,4,H,W]: RGB in [0,1] and the mask, used as given",
    )
    .requiredOption("--output <y.npy>", "where to write [B,3,H,W]")
    .addHelpText("after", EXAMPLES);
  withDeviceOptions(withDtypeOption(withModelFlags(withCommonOptions(command))));
  return command.action((options: RunOptions) => run({ ...options, note }));
}

async function run(options: RunOptions & CommandContext): Promise<void> {
  checkMatrixOption(options);
  const { input, output } = options;
  await assertWritable(output);
  for (const read of [input, options.weights]) {
    if (await sameFile(read, output)) throw new UsageError(`${output}: the output must not be an input`);
  }
  const array = await readArray(input);
  const { model } = await modelFromFile(options.weights, options);
  const [b, h, w] = checkInput(array, input, sizeMultiple(model.config));
  const result = await withDevice(
    options,
    async ({ device, software, description, memoryLimit, matrixUnits, onProgress }) => {
      const network = new Network(model, device, { software, dtype: options.dtype, matrixUnits });
      network.runtime.memory.limitBytes = memoryLimit;
      try {
        const plan = await network.plan([b, h, w], { onProgress });
        const x = toNhwc(array.data, b, 4, h, w);
        const started = performance.now();
        const { outputs, gpuMs } = await plan.run({ x });
        const ms = performance.now() - started;
        const found = outputs.y ?? new Float32Array(0);
        const f16Error = options.dtype === "f16" ? await dtypeErrorOf(network, x, [b, h, w], found) : null;
        return { adapter: description.name, y: toNchw(found, b, 3, h, w), ms, gpuMs, f16Error };
      } finally {
        await network.dispose();
      }
    },
  );
  const { adapter, y, ms, gpuMs, f16Error } = result;
  const bad = firstNonFinite(y);
  if (bad >= 0) options.note(`${output}: element ${bad} is ${y[bad]}; ${causeOfNonFinite(options.dtype)}`);
  const shape = [b, 3, h, w];
  await writeFileAtomic(output, serializeNpy(shape, y));
  const { arch, width, levels } = model.config;
  const lines = [`${output}: [${shape}], ${arch} of width ${width}, ${options.dtype}, ${ms.toFixed(1)} ms`];
  if (f16Error) lines.push(`  ${showDtypeError(f16Error)}`);
  const report: RunReport = { output, shape, arch, width, levels, adapter, dtype: options.dtype, ms, gpuMs };
  printResult(options, { ...report, ...(f16Error && { f16Error }) }, lines);
}

async function readArray(path: string): Promise<NpyArray> {
  return withFileSource(path, async (file) => {
    // The file, the array in it, and that array with its channels last.
    assertMemory(3 * file.size, path);
    return parseNpy(await file.read(0, file.size), path);
  });
}

function checkInput({ shape, data }: NpyArray, name: string, multiple: number): NetworkShape {
  const [b = 0, c, h = 0, w = 0] = shape;
  if (shape.length !== 4 || c !== 4) throw new InputError(`${name}: expected [B,4,H,W] (RGB and mask), got [${shape}]`);
  if (b < 1 || h < 1 || w < 1 || h % multiple !== 0 || w % multiple !== 0) {
    throw new InputError(
      `${name}: H and W must be multiples of ${multiple} for these weights, got [${shape}]; pad the array`,
    );
  }
  const bad = firstNonFinite(data);
  if (bad >= 0) throw new InputError(`${name}: element ${bad} is ${data[bad]}; every value must be finite`);
  return [b, h, w];
}

/** [B, C, H, W] to [B, H, W, C], an image at a time. */
function toNhwc(data: Float32Array, b: number, c: 4, h: number, w: number): Float32Array {
  const out = new Float32Array(data.length);
  const size = c * h * w;
  for (let n = 0; n < b; n++) out.set(fromPlanar(data.subarray(n * size, (n + 1) * size), w, h, c).data, n * size);
  return out;
}

function toNchw(data: Float32Array, b: number, c: 3, h: number, w: number): Float32Array {
  const out = new Float32Array(data.length);
  const size = c * h * w;
  for (let n = 0; n < b; n++) {
    out.set(toPlanar({ width: w, height: h, channels: c, data: data.slice(n * size, (n + 1) * size) }), n * size);
  }
  return out;
}
