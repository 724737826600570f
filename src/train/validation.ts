/**
 * How good the weights of a training are: the network in evaluation mode on pictures at the training's size, its output
 * pasted back under the mask, measured against the real photographs as users will see them.
 */
import { AbortedError } from "../errors.js";
import { compile } from "../graph/compile.js";
import type { Plan } from "../graph/plan.js";
import type { Runtime } from "../graph/runtime.js";
import { input } from "../graph/tensor.js";
import { type FloatImage, fromFloat, stackMask } from "../image/float.js";
import type { Image } from "../image/image.js";
import { foregroundMse, mse, psnr, ssim } from "../image/metrics.js";
import { paste } from "../image/paste.js";
import { compareStrip, maskToImage } from "../image/strip.js";
import { firstNonFinite, type HostTensor, toFloat32 } from "../io/tensor_data.js";
import { type ModelConfig, metadataOf } from "../model/config.js";
import { unet } from "../model/unet.js";
import { loadModel } from "../model/weights.js";
import type { ValidationMetrics } from "./trainer.js";

export interface ValidationSample {
  readonly name: string;
  readonly composite: FloatImage<3>;
  readonly mask: FloatImage<1>;
  readonly target: FloatImage<3>;
}

export interface ValidationPictures {
  readonly length: number;
  /** The sample as it is, at the training's size. */
  load(index: number): Promise<ValidationSample>;
}

export interface ValidationStrip {
  readonly name: string;
  readonly psnrBefore: number;
  readonly psnr: number;
  /** Composite, mask, harmonized, real. */
  readonly strip: Image;
}

export interface Validation extends ValidationMetrics {
  /** Of the composites as they are. */
  readonly baselinePsnr: number;
  readonly strips: readonly ValidationStrip[];
}

export interface ValidationOptions {
  readonly config: ModelConfig;
  /** Side of the square pictures. */
  readonly size: number;
  /** Pictures to make strips of. */
  readonly strips: number;
}

/**
 * Means over all pictures; NaN where the weights, or what they make of a picture, are not finite.
 * @throws AbortedError when the signal fires
 */
export async function validate(
  runtime: Runtime,
  weights: ReadonlyMap<string, HostTensor>,
  pictures: ValidationPictures,
  { config, size, strips }: ValidationOptions,
  signal: AbortSignal,
): Promise<Validation> {
  if ([...weights.values()].some((tensor) => firstNonFinite(toFloat32(tensor)) >= 0)) return SPOILT;
  const plan = await compileForward(runtime, weights, config, size, signal);
  try {
    const measured: Measured[] = [];
    for (let i = 0; i < pictures.length; i++) {
      if (signal.aborted) throw new AbortedError("validation: aborted");
      measured.push(await measure(plan, await pictures.load(i), i < strips));
    }
    const mean = (of: (one: Measured) => number): number =>
      measured.reduce((sum, one) => sum + of(one), 0) / measured.length;
    return {
      psnr: mean((one) => one.psnr),
      ssim: mean((one) => one.ssim),
      mse: mean((one) => one.mse),
      fmse: mean((one) => one.fmse),
      baselinePsnr: mean((one) => one.psnrBefore),
      strips: measured.flatMap(({ name, psnrBefore, psnr, strip }) =>
        strip ? [{ name, psnrBefore, psnr, strip }] : [],
      ),
    };
  } finally {
    await plan.dispose();
  }
}

/** Equal pictures count as no better than pictures that differ in one sample by one, so that means stay finite. */
const MAX_PSNR = 100;

/** The network in evaluation mode on one picture, its weights as constants. */
export async function compileForward(
  runtime: Runtime,
  weights: ReadonlyMap<string, HostTensor>,
  config: ModelConfig,
  size: number,
  signal?: AbortSignal,
): Promise<Plan> {
  const { layers } = loadModel(weights, metadataOf(config), config);
  const { y } = unet(layers, config, input("x", [1, size, size, 4]));
  return compile(runtime, { y }, { signal });
}

interface Measured extends ValidationMetrics {
  readonly name: string;
  readonly psnrBefore: number;
  readonly strip: Image | null;
}

async function measure(
  plan: Plan,
  { name, composite, mask, target }: ValidationSample,
  keep: boolean,
): Promise<Measured> {
  const { width, height } = composite;
  const { outputs } = await plan.run({ x: stackMask(composite, mask).data });
  const data = outputs.y ?? new Float32Array(0);
  const [before, real] = [fromFloat(composite), fromFloat(target)];
  const psnrBefore = Math.min(psnr(before, real), MAX_PSNR);
  if (firstNonFinite(data) >= 0) return { ...SPOILT, name, psnrBefore, strip: null };
  const after = paste(before, { width, height, channels: 3, data }, mask);
  return {
    name,
    psnrBefore,
    psnr: Math.min(psnr(after, real), MAX_PSNR),
    ssim: ssim(after, real),
    mse: mse(after, real),
    fmse: foregroundMse(after, real, mask),
    strip: keep ? compareStrip([before, maskToImage(mask), after, real], { maxPanel: 256 }) : null,
  };
}

const SPOILT: Validation = {
  psnr: Number.NaN,
  ssim: Number.NaN,
  mse: Number.NaN,
  fmse: Number.NaN,
  baselinePsnr: Number.NaN,
  strips: [],
};
