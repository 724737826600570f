/** The one-liner: a composite and its mask in, the harmonized picture out, at the size it came. Safe in a browser. */
import { AbortedError, UsageError } from "./errors.js";
import { closeDevice, openDevice } from "./gpu/device.js";
import type { MatrixUnits } from "./graph/op.js";
import { type ObjectTransform, objectTransform } from "./harmonizer/object_transform.js";
import { joinedWeight, type PastedObject } from "./harmonizer/objects.js";
import type { HarmonizeInput, HarmonizeOptions, HarmonizeResult } from "./harmonizer/options.js";
import { type Prepared, prepare } from "./harmonizer/prepare.js";
import { type FrameAnalysis, thumbnailOf } from "./harmonizer/sequence.js";
import { type DownloadOptions, sourceOf, type WeightsInput } from "./harmonizer/weights_source.js";
import { beforeReference, hideOthers, type Reference } from "./image/background.js";
import { DEFAULT_FIT, type Moments } from "./image/fit.js";
import { stackMask } from "./image/float.js";
import { type Answer, answerMoments, fitAnswer } from "./image/guided_upsample.js";
import { type Image, type ImageDataLike, toImageData } from "./image/image.js";
import type { Mask } from "./image/mask.js";
import { cropImage, reflectPad, roundUpTo } from "./image/pad.js";
import { paste } from "./image/paste.js";
import { resize, type Size } from "./image/resize.js";
import { resizeVisible } from "./image/resize_weighted.js";
import { watchSource } from "./io/byte_source.js";
import { assertSha256 } from "./io/digest.js";
import { readWeights } from "./io/weights_file.js";
import { requireMatrixUnits } from "./kernels/matrix_units.js";
import { sizeMultiple } from "./model/config.js";
import { type DtypeError, dtypeErrorOf } from "./model/dtype_error.js";
import { finiteOutput, Network, type NetworkOptions, type NetworkShape } from "./model/network.js";
import { loadModel, type ModelOptions } from "./model/weights.js";
import { loadTuning } from "./tuning/browser_cache.js";
import { hasTuning } from "./tuning/device_tuning.js";

export type { ObjectTransform } from "./harmonizer/object_transform.js";
export {
  DEFAULT_WORKING_SIZE,
  type HarmonizeInput,
  type HarmonizeOptions,
  type HarmonizeProgress,
  type HarmonizeResult,
  type InputNames,
} from "./harmonizer/options.js";
export type { LoadProgress, WeightsInput } from "./harmonizer/weights_source.js";
export type { Region } from "./image/background.js";

export interface LoadOptions extends ModelOptions, Omit<NetworkOptions, "matrixUnits">, DownloadOptions {
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
}

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
   * Makes the masked region match the rest. Pixels whose mask is 0 are copied bit for bit; soft edges take the change in
   * proportion. Concurrent calls are fine; the device takes them in turn.
   * @param input an `ImageData` (or alike) comes back as one, an `Image` as an `Image` of the same depth and channels
   * @throws InputError for a mask that is missing, empty, of another size or hidden by later ones, and for a reference outside
   *   the picture, inside a mask or too small; UsageError; OutOfMemoryError; AbortedError
   */
  async harmonize<Picture extends Image | ImageDataLike>(
    input: HarmonizeInput<Picture>,
    options: HarmonizeOptions = {},
  ): Promise<HarmonizeResult<Picture>> {
    return this.tracked(() => this.compute(input, options));
  }

  /**
   * What a frame of a sequence adds to the transforms of its shot: the network is run, nothing is changed. `solveSequence`
   * solves the transforms from all frames, `applyChange` paints them.
   * @throws as `harmonize`
   */
  async analyse(input: HarmonizeInput<Image | ImageDataLike>, options: HarmonizeOptions = {}): Promise<FrameAnalysis> {
    return this.tracked(async () => {
      const prepared = prepare(input, options);
      const { picture, objects } = prepared;
      const found: Moments[] = [];
      await this.eachObject(prepared, options, (image, object, answer) => {
        found.push(answerMoments(answer));
        if (found.length === objects.length) return image;
        return paste(image, fitAnswer(image, object.seen, answer, options).rows, object.weight, options);
      });
      return { width: picture.width, height: picture.height, thumbnail: thumbnailOf(picture), objects: found };
    });
  }

  private async tracked<T>(body: () => Promise<T>): Promise<T> {
    if (this.disposed) throw new UsageError("harmonize: the harmonizer was disposed of");
    const result = body();
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
    const { strength = 1, fit = DEFAULT_FIT } = options;
    const prepared = prepare(input, options);
    const { objects, size } = prepared;
    const transforms: ObjectTransform[] = [];
    const run = await this.eachObject(prepared, options, (before, { seen, weight }, answer) => {
      const { rows, ...fitted } = fitAnswer(before, seen, answer, { fit });
      const after = paste(before, rows, weight, { strength });
      transforms.push(objectTransform({ before, after, weight, strength, fit, ...fitted }));
      return after;
    });
    const returned = "channels" in input.image ? run.image : toImageData(run.image);
    return {
      image: returned as unknown as Picture,
      mask: joinedWeight(objects),
      transform: transforms[0] as ObjectTransform,
      transforms,
      workedAt: size,
      modelMs: run.modelMs,
      totalMs: performance.now() - started,
      ...(run.f16Error && { f16Error: run.f16Error }),
    };
  }

  /** @param paint makes of a picture and the network's answer the picture that the next object is harmonized in */
  private async eachObject(
    { picture, objects, size, reference }: Prepared,
    options: HarmonizeOptions,
    paint: (image: Image, object: PastedObject, answer: Answer) => Image,
  ): Promise<{ image: Image; modelMs: number; f16Error?: DtypeError }> {
    const { signal } = options;
    const small = objects.map(
      ({ mask }) =>
        () =>
          resize(mask, size.width, size.height),
    );
    let image = picture;
    let modelMs = 0;
    let worst: DtypeError | undefined;
    const total = objects.length;
    for (const [index, object] of objects.entries()) {
      if (total > 1) options.onProgress?.({ stage: "objects", done: index, total });
      const others = small.slice(index + 1);
      const { answer, ...run } = await this.runNetwork(image, object, others, reference, size, options);
      modelMs += run.modelMs;
      if (run.f16Error && run.f16Error.maxAbs >= (worst?.maxAbs ?? 0)) worst = run.f16Error;
      await turn(signal);
      image = paint(image, object, answer);
      await turn(signal);
    }
    if (total > 1) options.onProgress?.({ stage: "objects", done: total, total });
    return { image, modelMs, ...(worst && { f16Error: worst }) };
  }

  /** @param others reduced masks of the objects that are still to be harmonized, when they are wanted */
  private async runNetwork(
    image: Image,
    object: PastedObject,
    others: readonly (() => Mask)[],
    reference: Reference | null,
    { width, height }: Size,
    options: HarmonizeOptions,
  ): Promise<{ answer: Answer; modelMs: number; f16Error?: DtypeError }> {
    const { signal, onProgress } = options;
    const multiple = sizeMultiple(this.network.model.config);
    const shape: NetworkShape = [1, roundUpTo(height, multiple), roundUpTo(width, multiple)];
    // The plan comes first, as it tells whether the device can hold it, before large copies are made here.
    return this.network.withPlan(shape, { signal, onProgress }, async (plan) => {
      const picture = resizeVisible(image, width, height);
      const own = resize(object.mask, width, height);
      const seen = object.seen === object.mask ? own : resize(object.seen, width, height);
      const alone = hideOthers(
        picture,
        own,
        seen,
        others.map((mask) => mask()),
      );
      const input = reference ? beforeReference(alone, own, reference) : alone;
      const x = reflectPad(stackMask(input, own), multiple).data;
      await turn(signal);
      const started = performance.now();
      const answered = await plan.run({ x }, { signal });
      const modelMs = performance.now() - started;
      const data = finiteOutput(answered, this.network.dtype);
      const output = cropImage({ width: shape[2], height: shape[1], channels: 3, data }, width, height);
      const check = (options.checkDtype ?? false) && this.network.dtype === "f16";
      const f16Error = check ? { f16Error: await dtypeErrorOf(this.network, x, shape, data) } : {};
      return { answer: { input, output, mask: seen, picture }, modelMs, ...f16Error };
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
