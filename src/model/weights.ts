/**
 * From a file's tensors to a network: architecture, width and levels are read off the tensors themselves, and every
 * tensor is accounted for.
 */
import { WeightsError } from "../errors.js";
import { input, type Shape, sameShape, showShape } from "../graph/tensor.js";
import { firstNonFinite, type HostTensor, toFloat32 } from "../io/tensor_data.js";
import { blurTaps } from "../kernels/gaussian_blur/taps.js";
import { absentParts, archWithoutTensors, lacksBlur } from "./ablated_weights.js";
import {
  type Arch,
  type Blur,
  checkConfig,
  lacks,
  type ModelConfig,
  partsOf,
  type S2amPart,
  showParts,
  sizeMultiple,
} from "./config.js";
import { InferenceLayers, type ParameterSource } from "./layers.js";
import { levelKey, unet } from "./unet.js";

type Tensors = ReadonlyMap<string, HostTensor>;
type Metadata = Readonly<Record<string, string>>;

/** What a caller may say of weights that do not say it themselves. */
export interface ModelOptions {
  readonly globalSkip?: boolean | undefined;
  readonly blur?: Blur | undefined;
  /** Parts of S2AM that the network was trained without. */
  readonly without?: readonly S2amPart[] | undefined;
}

export interface Model {
  readonly config: ModelConfig;
  readonly layers: InferenceLayers;
  /** Parameters, running statistics counted in. */
  readonly parameterCount: number;
}

/**
 * @param tensors by PyTorch key
 * @param metadata of the file; `arch`, `width`, `levels` are checked against the tensors, `global_skip`, `blur` and
 *   `without` used
 * @param options win over the metadata
 * @throws WeightsError naming what is missing, extra, misshapen, not finite, or contradicted
 */
export function loadModel(
  tensors: Tensors,
  metadata: Metadata = {},
  options: ModelOptions = {},
  name = "weights",
): Model {
  const config = checkedConfig(tensors, metadata, options, name);
  const expected = parameterShapes(config);
  const problems = [...compareShapes(tensors, expected, config), ...gaussianMismatch(tensors, config)];
  if (problems.length > 0) {
    const shown = problems.slice(0, 5).join("; ");
    const more = problems.length > 5 ? `; and ${problems.length - 5} more` : "";
    const without = config.without?.length ? `, without ${showParts(config.without)}` : "";
    throw new WeightsError(
      `${name}: not the weights of ${config.arch} (width ${config.width}, ${config.levels} levels${without}): ` +
        `${shown}${more}${absentParts(tensors, config)}`,
    );
  }
  const blurSaid = options.blur ?? metadata.blur;
  if (blurSaid === undefined && !lacks(config, "blur") && lacksBlur(tensors, config)) {
    throw new WeightsError(
      `${name}: holds every buffer of PyTorch's network but gaussianMask.weight: if it was trained without the mask's ` +
        `blur say --without blur, else say which with --blur code`,
    );
  }
  checkFinite(tensors, expected, name);
  const source: ParameterSource = {
    get(key) {
      const tensor = tensors.get(key);
      if (!tensor) throw new Error(`loadModel: ${key} was checked and is gone`);
      return () => toFloat32(tensor);
    },
  };
  const parameterCount = [...expected.values()].reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return { config, layers: new InferenceLayers(source), parameterCount };
}

/** Every parameter of a network by key, in PyTorch's shapes: found by building it. */
export function parameterShapes(config: ModelConfig): Map<string, Shape> {
  const shapes = new Map<string, Shape>();
  const recorder: ParameterSource = {
    get(key, shape) {
      shapes.set(key, shape);
      return () => new Float32Array(0);
    },
  };
  unet(new InferenceLayers(recorder), config, input("x", [1, sizeMultiple(config), sizeMultiple(config), 4]));
  return shapes;
}

function checkedConfig(tensors: Tensors, metadata: Metadata, options: ModelOptions, name: string): ModelConfig {
  const without = options.without ?? withoutOf(metadata.without, name);
  const found = inferConfig(tensors, metadata, without, name);
  for (const key of ["arch", "width", "levels"] as const) {
    const said = metadata[key];
    if (said !== undefined && said !== String(found[key])) {
      throw new WeightsError(
        `${name}: its metadata says ${key} ${said}, its tensors are those of ${key} ${found[key]}`,
      );
    }
  }
  const globalSkip = options.globalSkip ?? flag(metadata.global_skip, "global_skip", name);
  const blur = options.blur ?? blurOf(metadata.blur, name) ?? found.blur;
  return checkConfig({ ...found, globalSkip, blur, ...(without.length > 0 && { without: partsOf(without) }) });
}

function flag(text: string | undefined, key: string, name: string): boolean {
  if (text === undefined || text === "false") return false;
  if (text === "true") return true;
  throw new WeightsError(`${name}: metadata ${key} must be "true" or "false", got "${text}"`);
}

function blurOf(text: string | undefined, name: string): Blur | undefined {
  if (text === undefined || text === "code" || text === "paper") return text;
  throw new WeightsError(`${name}: metadata blur must be "code" or "paper", got "${text}"`);
}

function withoutOf(text: string | undefined, name: string): readonly S2amPart[] {
  if (text === undefined) return [];
  try {
    return partsOf(text.split(","));
  } catch (cause) {
    throw new WeightsError(`${name}: metadata ${(cause as Error).message}`, { cause });
  }
}

function inferConfig(
  tensors: Tensors,
  metadata: Metadata,
  without: readonly S2amPart[],
  name: string,
): Pick<ModelConfig, "arch" | "width" | "levels" | "blur"> {
  const outermost = tensors.get(`${levelKey(0)}.down.0.weight`);
  const [width] = outermost?.shape ?? [];
  if (width === undefined) {
    const some = [...tensors.keys()].slice(0, 3).join(", ") || "no tensors";
    throw new WeightsError(
      `${name}: no "${levelKey(0)}.down.0.weight": these are not weights of an S2AM U-Net (it has ${some})`,
    );
  }
  if ([...tensors.keys()].some((key) => key.includes("mask_attention"))) {
    throw new WeightsError(
      `${name}: weights of the mask-free network, which is not supported: give weights of unet, s2asc or s2ad`,
    );
  }
  let levels = 1;
  while (tensors.has(`${levelKey(levels)}.down.1.weight`)) levels += 1;
  const attention = `${levelKey(1)}.attention`;
  const [channels] = ["background_attention.fc.2.weight", "connection.rconv2.weight"].flatMap(
    (key) => tensors.get(`${attention}.${key}`)?.shape[0] ?? [],
  );
  const arch: Arch =
    channels === undefined ? archWithoutTensors(metadata, without, name) : channels === width ? "s2asc" : "s2ad";
  const taps = tensors.get(`${attention}.gaussianMask.weight`)?.shape[3];
  return { arch, width, levels, blur: taps === 7 ? "paper" : "code" };
}

function compareShapes(tensors: Tensors, expected: ReadonlyMap<string, Shape>, config: ModelConfig): string[] {
  /** Buffers that the network's state dict may hold beside its parameters. */
  const isBuffer = (key: string): boolean =>
    key.endsWith(".num_batches_tracked") || (key.endsWith(".gaussianMask.weight") && !lacks(config, "blur"));
  const missing = [...expected.keys()].filter((key) => !tensors.has(key)).map((key) => `missing ${key}`);
  const extra = [...tensors.keys()].filter((key) => !expected.has(key) && !isBuffer(key)).map((key) => `extra ${key}`);
  const misshapen = [...expected].flatMap(([key, shape]) => {
    const tensor = tensors.get(key);
    return tensor && !sameShape(tensor.shape, shape)
      ? [`${key} is ${showShape(tensor.shape)}, expected ${showShape(shape)}`]
      : [];
  });
  return [...missing, ...misshapen, ...extra];
}

/** The mask's blur is a constant of the architecture; weights that hold another one would be run wrongly in silence. */
function gaussianMismatch(tensors: Tensors, config: ModelConfig): string[] {
  if (lacks(config, "blur")) return []; // there is none to compare: it is an extra tensor
  const { blur } = config;
  const byDistance = blurTaps(blur);
  const size = 2 * byDistance.length - 1;
  const tap = (i: number): number => byDistance[Math.abs(i - byDistance.length + 1)] ?? 0;
  return [...tensors]
    .filter(([key]) => key.endsWith(".gaussianMask.weight"))
    .flatMap(([key, tensor]) => {
      const values = toFloat32(tensor);
      const fits =
        values.length === size * size &&
        values.every((value, i) => Math.abs(value - tap(i % size) * tap(Math.floor(i / size))) < 1e-3);
      return fits ? [] : [`${key} ${showShape(tensor.shape)} is not the ${size}x${size} Gaussian of blur "${blur}"`];
    });
}

function checkFinite(tensors: Tensors, expected: ReadonlyMap<string, Shape>, name: string): void {
  for (const key of expected.keys()) {
    const tensor = tensors.get(key);
    const bad = tensor ? firstNonFinite(toFloat32(tensor)) : -1;
    if (bad >= 0) throw new WeightsError(`${name}: ${key} holds a value that is not finite at element ${bad}`);
  }
}
