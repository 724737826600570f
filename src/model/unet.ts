/**
 * The U-Net and its two S2AM forms, described once. Keys and quirks are those of the published code: the leaky ReLU is
 * in place, so skips carry leaky_relu(x); concatenations are [skip, up]; the output has no activation.
 */
import { ShapeError } from "../errors.js";
import { showShape, type Tensor } from "../graph/tensor.js";
import { concat } from "../kernels/concat/op.js";
import { levelMask } from "../kernels/level_mask/op.js";
import { maskPool } from "../kernels/mask_pool/op.js";
import { slice } from "../kernels/slice/op.js";
import { channelsAt, lacks, type ModelConfig, sizeMultiple } from "./config.js";
import type { Layers } from "./layers.js";
import { s2am } from "./s2am.js";

const DOWN = { kernel: 4, stride: 2, padding: 1 } as const;
const LEAKY = { activation: "leaky_relu", slope: 0.2 } as const;
/** Levels, counted from the outermost, whose skip or concatenation carries S2AM. */
export const ATTENTION_LEVELS = [1, 2, 3];

/** What a run makes: the picture, and each level's result for comparison with other frameworks. */
export interface UNetTensors {
  /** [N, H, W, 3], not clamped. */
  readonly y: Tensor;
  /** Output of level k, 0 the outermost, as the reference's `Level.forward` returns it; level 0 with the global skip added. */
  readonly levels: readonly Tensor[];
}

/** `model.model`, then `.sub.model` a level. */
export const levelKey = (k: number): string => `model.model${".sub.model".repeat(k)}`;

/**
 * @param x [N, H, W, 4]: RGB in [0, 1] and the mask; H and W multiples of 2^levels
 * @throws ShapeError otherwise
 */
export function unet(layers: Layers, config: ModelConfig, x: Tensor): UNetTensors {
  const [, h = 0, w = 0, c] = x.shape;
  const multiple = sizeMultiple(config);
  if (c !== 4 || h % multiple !== 0 || w % multiple !== 0 || h === 0 || w === 0) {
    throw new ShapeError(
      `${config.arch}: x must be [N,H,W,4] with H and W multiples of ${multiple} (2^levels), got ${showShape(x.shape)}`,
    );
  }
  const mask = slice(x, { start: 3, length: 1 });
  const levels: Tensor[] = [];
  const outermost = layers.conv(x, `${levelKey(0)}.down.0`, { ...DOWN, channels: channelsAt(config, 0), ...LEAKY });
  const joined = level(layers, config, 1, outermost, mask, levels);
  const addend = config.globalSkip ? slice(x, { start: 0, length: 3 }) : undefined;
  const last = { ...DOWN, channels: 3, bias: true, dtype: "f32", addend } as const; // the picture, which no later layer reads
  const y = layers.convTransposeOfRelu(joined, `${levelKey(0)}.up.1`, last);
  levels.unshift(y);
  return { y, levels };
}

/** Level k from its leaky-rectified input to its concatenation (S2AD: the attention on it). */
function level(layers: Layers, config: ModelConfig, k: number, x: Tensor, mask: Tensor, levels: Tensor[]): Tensor {
  const key = levelKey(k);
  const innermost = k === config.levels - 1;
  const channels = channelsAt(config, k);
  const down = { ...DOWN, channels, ...(innermost ? {} : { ...LEAKY, norm: `${key}.down.2` }) };
  const hidden = layers.conv(x, `${key}.down.1`, down);
  const inner = innermost ? hidden : level(layers, config, k + 1, hidden, mask, levels);
  const up = layers.convTransposeOfRelu(inner, `${key}.up.1`, {
    ...DOWN,
    channels: channelsAt(config, k - 1),
    norm: `${key}.up.2`,
  });
  const attend = (tensor: Tensor, where: ModelConfig["arch"]): Tensor =>
    config.arch === where && ATTENTION_LEVELS.includes(k)
      ? layers.segment(() => s2am(layers, config, tensor, maskAt(config, mask, k), `${key}.attention`))
      : tensor;
  const joined = attend(concat([attend(x, "s2asc"), up], { name: `${key}.joined` }), "s2ad");
  levels.unshift(joined);
  return joined;
}

/** M at level k: hard at 1 / 2^k of the size, then blurred. */
function maskAt(config: ModelConfig, mask: Tensor, k: number): Tensor {
  const stride = 2 ** k;
  return lacks(config, "blur") ? maskPool(mask, { stride }) : levelMask(mask, { stride, kernel: config.blur });
}
