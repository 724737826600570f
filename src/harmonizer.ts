/** The one-liner: a composite and its mask in, the harmonized picture out, at the size it came. Safe in a browser. */
import { AbortedError, InputError, UsageError, WeightsError } from "./errors.js";
import { closeDevice, openDevice } from "./gpu/device.js";
import type { CompileProgress } from "./graph/compile.js";
import type { MatrixUnits } from "./graph/op.js";
import { stackMask } from "./image/float.js";
import { guidedUpsample } from "./image/guided_upsample.js";
import { dropAlpha, type Image, type ImageDataLike, toImage, toImageData } from "./image/image.js";
import { checkMask, featherMask, invertMask, type Mask, maskFromAlpha, maskFromImage } from "./image/mask.js";
import { cropImage, reflectPad, roundUpTo } from "./image/pad.js";
import { paste } from "./image/paste.js";
import { resize, resizeToRgb, type Size, workingSize } from "./image/resize.js";
import { type ByteSource, bytesSource, watchSource } from "./io/byte_source.js";
import { assertSha256 } from "./io/digest.js";
import { firstNonFinite } from "./io/tensor_data.js";
import { readWeights } from "./io/weights_file.js";
import { requireMatrixUnits } from "./kernels/matrix_units.js";
import { sizeMultiple } from "./model/config.js";
import { type DtypeError, dtypeErrorOf } from "./model/dtype_error.js";
import { causeOfNonFinite, Network, type NetworkOptions, type NetworkShape } from "./model/network.js";
import { loadModel, type ModelOptions } from "./model/weights.js";
import { loadTuning } from "./tuning/browser_cache.js";
import { hasTuning } from "./tuning/device_tuning.js";

/** Weights as safetensors or as a PyTorch checkpoint: bytes, a source that is read in ranges, or an address to fetch. */
export type WeightsInput = Uint8Array | ArrayBuffer | ByteSource | URL | string;

export interface LoadOptions extends ModelOptions, Omit<NetworkOptions, "matrixUnits"> {
  /**
   * With dtype f16: multiplies on the device's matrix units, an experimental feature of Chromium's. `true` finds them, and is an
   * AdapterError where there are none. Default: none is used.
   */
  readonly matrixUnits?: boolean | MatrixUnits | undefined;
  /** The device to compute on; without it the browser's adapter is opened and closed again by `dispose()`. */
  readonly device?: GPUDevice;
  /** Bytes that the network may take on the device; more is an OutOfMemoryError. By default what the device gives. */
  readonly memoryLimit?: number;
  /** 64 hexadecimal digits; weights that have another SHA-256 are refused. In a page this needs a secure context. */
  readonly sha256?: string;
  /** What messages call the weights. */
  readonly name?: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

export interface LoadProgress {
  readonly stage: "download";
  /** Bytes. */
  readonly done: number;
  /** Bytes; 0 when the server does not say. */
  readonly total: number;
}

export interface HarmonizeInput<Picture extends Image | ImageDataLike> {
  readonly image: Picture;
  /** White is the foreground that is changed. Without it the image's alpha is the mask and the result is opaque. */
  readonly mask?: Image | ImageDataLike | Mask | undefined;
}

export interface HarmonizeOptions {
  /** 0 leaves the picture as it is, 1 takes the network's colours whole. Default 1. */
  readonly strength?: number;
  /** Longest side at which the network runs; larger pictures run reduced and keep their detail. Default 512. */
  readonly workingSize?: number;
  /** Pixels over which the change fades in from the mask's edge inwards. Default 0. */
  readonly feather?: number;
  /** Takes black as the foreground. */
  readonly invertMask?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: CompileProgress) => void) | undefined;
  /** With a network stored as f16: also runs it in f32, and says how far the two are apart. */
  readonly checkDtype?: boolean;
  /** What messages call the inputs. */
  readonly names?: { readonly image: string; readonly mask: string };
}

export interface HarmonizeResult<Picture> {
  readonly image: Picture;
  /** The mask that was used, inverted and feathered as asked. */
  readonly mask: Mask;
  /** Size at which the network ran, before padding. */
  readonly workedAt: { readonly width: number; readonly height: number };
  /** Milliseconds of the network's run alone, and of everything. */
  readonly modelMs: number;
  readonly totalMs: number;
  /** With `checkDtype`, of the network's output. */
  readonly f16Error?: DtypeError;
}

export const DEFAULT_WORKING_SIZE = 512;

export class Harmonizer {
  private readonly underWay = new Set<Promise<unknown>>();
  private disposed = false;

  private constructor(
    readonly network: Network,
    private readonly ownDevice: GPUDevice | null,
  ) {}

  /**
   * @throws WeightsError for weights that are damaged or of another network; AdapterError without WebGPU, or without
   *   what `dtype` or `matrixUnits` ask for; AbortedError
   */
  static async load(weights: WeightsInput, options: LoadOptions = {}): Promise<Harmonizer> {
    const wanted = options.matrixUnits ?? false;
    if (wanted && options.dtype !== "f16") throw new UsageError('matrixUnits multiply f16: add dtype: "f16"');
    const source = watchSource(await sourceOf(weights, options), { signal: options.signal });
    const name = options.name ?? (typeof weights === "string" ? weights : "weights");
    if (options.sha256 !== undefined) await assertSha256(source, options.sha256, name, "sha256");
    const { tensors, metadata } = await readWeights(source, name);
    const model = loadModel(tensors, metadata, options, name);
    const device = options.device ?? (await openDevice({ matrixUnits: wanted !== false })).device;
    try {
      // A browser's table of this adapter, if `tune` was ever run there; Node's is attached as the device is opened.
      if (!hasTuning(device)) await loadTuning(device);
      const matrixUnits = wanted === true ? await requireMatrixUnits(device) : wanted || undefined;
      const network = new Network(model, device, { ...options, matrixUnits });
      if (options.memoryLimit !== undefined) network.runtime.memory.limitBytes = options.memoryLimit;
      return new Harmonizer(network, options.device ? null : device);
    } catch (error) {
      if (!options.device) await closeDevice(device);
      throw error;
    }
  }

  /**
   * Makes the masked region match the rest. Pixels whose mask is 0 are copied bit for bit. Concurrent calls are fine;
   * the device takes them in turn.
   * @param input an `ImageData` (or alike) comes back as one, an `Image` as an `Image` of the same depth and channels
   * @throws InputError for a mask that is missing, empty or of another size; UsageError; OutOfMemoryError; AbortedError
   */
  async harmonize<Picture extends Image | ImageDataLike>(
    input: HarmonizeInput<Picture>,
    options: HarmonizeOptions = {},
  ): Promise<HarmonizeResult<Picture>> {
    if (this.disposed) throw new UsageError("harmonize: the harmonizer was disposed of");
    const result = this.compute(input, options);
    this.underWay.add(result);
    try {
      return await result;
    } finally {
      this.underWay.delete(result);
    }
  }

  /** Waits for calls under way, then frees the GPU's memory, and the device where `load` opened it. */
  async dispose(): Promise<void> {
    this.disposed = true;
    await Promise.allSettled(this.underWay);
    await this.network.dispose();
    if (this.ownDevice) await closeDevice(this.ownDevice);
  }

  private async compute<Picture extends Image | ImageDataLike>(
    input: HarmonizeInput<Picture>,
    options: HarmonizeOptions,
  ): Promise<HarmonizeResult<Picture>> {
    const started = performance.now();
    const { strength = 1, workingSize: longest = DEFAULT_WORKING_SIZE, feather = 0, signal } = options;
    checkOptions(strength, longest, feather);
    const names = options.names ?? { image: "image", mask: "mask" };
    const image = toImage(input.image, names.image);
    const mask = maskOf(image, input.mask, options.invertMask ?? false, names);
    const size = workingSize(image.width, image.height, longest);
    const { small, smallMask, y, modelMs, f16Error } = await this.runNetwork(image, mask, size, options);
    await turn(signal);
    const rows = guidedUpsample(image, mask, { input: small, output: y, mask: smallMask });
    const soft = featherMask(mask, feather);
    await turn(signal);
    const pasted = paste(input.mask ? image : dropAlpha(image), rows, soft, { strength });
    const result = "channels" in input.image ? pasted : toImageData(pasted);
    const totalMs = performance.now() - started;
    return { image: result as unknown as Picture, mask: soft, workedAt: size, modelMs, totalMs, ...f16Error };
  }

  private async runNetwork(image: Image, mask: Mask, { width, height }: Size, options: HarmonizeOptions) {
    const { signal, onProgress } = options;
    const multiple = sizeMultiple(this.network.model.config);
    const shape: NetworkShape = [1, roundUpTo(height, multiple), roundUpTo(width, multiple)];
    // The plan comes first, as it tells whether the device can hold it, before large copies are made here.
    return this.network.withPlan(shape, { signal, onProgress }, async (plan) => {
      const small = resizeToRgb(image, width, height);
      const smallMask = resize(mask, width, height);
      const x = reflectPad(stackMask(small, smallMask), multiple).data;
      await turn(signal);
      const started = performance.now();
      const { outputs } = await plan.run({ x }, { signal });
      const modelMs = performance.now() - started;
      const data = outputs.y ?? new Float32Array(0);
      if (firstNonFinite(data) >= 0) {
        throw new WeightsError(`the network's output is not finite: ${causeOfNonFinite(this.network.dtype)}`);
      }
      const y = cropImage({ width: shape[2], height: shape[1], channels: 3, data }, width, height);
      const check = (options.checkDtype ?? false) && this.network.dtype === "f16";
      const f16Error = check ? { f16Error: await dtypeErrorOf(this.network, x, shape, data) } : {};
      return { small, smallMask, y, modelMs, f16Error };
    });
  }
}

/** `Harmonizer.load`, one `harmonize`, `dispose`, in one call. */
export async function harmonize<Picture extends Image | ImageDataLike>(
  weights: WeightsInput,
  input: HarmonizeInput<Picture>,
  options: LoadOptions & Omit<HarmonizeOptions, "onProgress"> = {},
): Promise<Picture> {
  const harmonizer = await Harmonizer.load(weights, options);
  try {
    const { onProgress: _, ...rest } = options;
    return (await harmonizer.harmonize(input, rest)).image;
  } finally {
    await harmonizer.dispose();
  }
}

/** Between long stretches of arithmetic: whatever else waits (a page's events, a signal) has its turn. */
async function turn(signal: AbortSignal | undefined): Promise<void> {
  const immediate: ((callback: () => void) => unknown) | undefined = globalThis.setImmediate;
  await new Promise<void>((resolve) => {
    if (immediate) return immediate(resolve);
    const { port1, port2 } = new MessageChannel(); // timers are throttled in hidden tabs
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
  if (signal?.aborted) throw new AbortedError("harmonize: aborted by the caller", { cause: signal.reason });
}

function checkOptions(strength: number, longest: number, feather: number): void {
  if (!(strength >= 0 && strength <= 1)) throw new UsageError(`strength must be a number from 0 to 1, got ${strength}`);
  if (!(Number.isInteger(longest) && longest >= 16)) {
    throw new UsageError(`the working size must be a whole number of pixels from 16, got ${longest}`);
  }
  if (!(Number.isFinite(feather) && feather >= 0))
    throw new UsageError(`feather must be 0 pixels or more, got ${feather}`);
}

function maskOf(
  image: Image,
  given: HarmonizeInput<Image>["mask"],
  invert: boolean,
  names: { readonly image: string; readonly mask: string },
): Mask {
  const isFloat = (mask: Image | ImageDataLike | Mask): mask is Mask => mask.data instanceof Float32Array;
  let mask: Mask;
  if (!given) mask = maskFromAlpha(image, names.image);
  else if (isFloat(given)) mask = checkRange(given, names.mask);
  else mask = maskFromImage(toImage(given, names.mask));
  if (invert) mask = invertMask(mask);
  checkMask(mask, image, given ? names : { image: names.image, mask: `the alpha of ${names.image}` });
  return mask;
}

function checkRange(mask: Mask, name: string): Mask {
  const bad = mask.data.findIndex((value) => !(value >= 0 && value <= 1));
  if (bad >= 0) throw new InputError(`${name}: values must lie in 0..1, element ${bad} is ${mask.data[bad]}`);
  return mask;
}

async function sourceOf(weights: WeightsInput, options: LoadOptions): Promise<ByteSource> {
  if (weights instanceof Uint8Array) return bytesSource(weights);
  if (weights instanceof ArrayBuffer) return bytesSource(new Uint8Array(weights));
  if (typeof weights === "string" || weights instanceof URL)
    return bytesSource(await download(String(weights), options));
  return weights;
}

async function download(address: string, options: LoadOptions): Promise<Uint8Array> {
  try {
    return await fetchBytes(address, options);
  } catch (cause) {
    if (options.signal?.aborted)
      throw new AbortedError(`${address}: the download was aborted by the caller`, { cause });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(`${address}: the weights could not be fetched (${reason})`, { cause });
  }
}

async function fetchBytes(address: string, { signal, onProgress }: LoadOptions): Promise<Uint8Array> {
  const response = await fetch(address, { signal: signal ?? null });
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  // The length of a compressed transfer says nothing of what comes out of it.
  const total = response.headers.has("content-encoding") ? 0 : Number(response.headers.get("content-length") ?? 0);
  const parts: Uint8Array[] = [];
  let done = 0;
  const reader = response.body.getReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    parts.push(chunk.value);
    done += chunk.value.length;
    onProgress?.({ stage: "download", done, total });
  }
  const bytes = new Uint8Array(done);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
