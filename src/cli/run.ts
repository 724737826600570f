/** `s2am run`: the bare network on an array, for comparing with other frameworks. */
import { Command } from "commander";
import { InputError } from "../errors.js";
import { openDevice } from "../gpu/open_device.node.js";
import { fromPlanar, toPlanar } from "../image/float.js";
import { withFileSource } from "../io/file_source.node.js";
import { assertFolder, sameFile, writeFileAtomic } from "../io/file_write.node.js";
import { parseNpy, serializeNpy } from "../io/npy.js";
import { firstNonFinite } from "../io/tensor_data.js";
import { sizeMultiple } from "../model/config.js";
import { Network, type NetworkShape } from "../model/network.js";
import { dirname } from "node:path";
import { type CommandContext, type CommonOptions, printResult, withCommonOptions } from "./app.js";
import { modelFlags, modelFromFile, withAdapterOption, withModelFlags } from "./model_options.js";
import { progressBar } from "./progress.js";

interface RunOptions extends CommonOptions {
  readonly weights: string;
  readonly input: string;
  readonly output: string;
  readonly adapter?: string;
}

export function runCommand({ note, signal }: CommandContext): Command {
  const command = new Command("run")
    .description("run the network on a NumPy array: [B,4,H,W] float32 in, [B,3,H,W] out, as it comes from the network")
    .requiredOption("--weights <file>", ".safetensors, .pth or .pth.tar")
    .requiredOption("--input <x.npy>", "C-order little-endian float32 [B,4,H,W]: RGB in [0,1] and the mask, used as given")
    .requiredOption("--output <y.npy>", "where to write [B,3,H,W]")
    .addHelpText("after", "\nExample:\n  s2am run --weights model_best.pth.tar --input x.npy --output y.npy");
  withAdapterOption(withModelFlags(withCommonOptions(command)));
  return command.action(async (options: RunOptions) => {
    await assertFolder(dirname(options.output));
    if (await sameFile(options.input, options.output)) throw new InputError(`${options.output}: the output must not be the input`);
    const x = parseNpy(await withFileSource(options.input, (file) => file.read(0, file.size)), options.input);
    const { model } = await modelFromFile(options.weights, modelFlags(command));
    const [b, , h, w] = checkInput(x.shape, x.data, options.input, sizeMultiple(model.config));
    const { device, description, close } = await openDevice({ adapter: options.adapter, log: note });
    const bar = progressBar(options.json);
    try {
      const network = new Network(model, device, { software: description.isSoftware });
      const shape: NetworkShape = [b, h, w];
      await network.plan(shape, { signal, onProgress: bar.onProgress });
      bar.stop();
      const started = performance.now();
      const { outputs, gpuMs } = await network.run(toNhwc(x.data, b, 4, h, w), shape, { signal });
      const ms = performance.now() - started;
      await network.dispose();
      const y = toNchw(outputs.y ?? new Float32Array(0), b, 3, h, w);
      await writeFileAtomic(options.output, serializeNpy([b, 3, h, w], y));
      const { arch, width, levels } = model.config;
      const result = { output: options.output, shape: [b, 3, h, w], arch, width, levels, adapter: description.name, ms, gpuMs };
      printResult(options, result, [`${options.output}: [${result.shape}], ${arch} of width ${width}, ${ms.toFixed(1)} ms`]);
    } finally {
      bar.stop();
      await close();
    }
  });
}

function checkInput(shape: readonly number[], data: Float32Array, name: string, multiple: number) {
  const [b = 0, c, h = 0, w = 0] = shape;
  if (shape.length !== 4 || c !== 4) throw new InputError(`${name}: expected [B,4,H,W] (RGB and mask), got [${shape}]`);
  if (b < 1 || h < 1 || w < 1 || h % multiple !== 0 || w % multiple !== 0) {
    throw new InputError(`${name}: H and W must be multiples of ${multiple} for these weights, got [${shape}]; pad the array`);
  }
  const bad = firstNonFinite(data);
  if (bad >= 0) throw new InputError(`${name}: element ${bad} is ${data[bad]}; every value must be finite`);
  return [b, c, h, w] as const;
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
