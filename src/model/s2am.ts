/** The Spatial-Separated Attention Module (paper, section 3.2, eq. 1): y = M * [L(Gfg(x)) + Gmix(x)] + (1 - M) * Gbg(x). */
import type { Tensor } from "../graph/tensor.js";
import { channelGate } from "../kernels/channel_gate/op.js";
import { gaussianBlur } from "../kernels/gaussian_blur/op.js";
import { globalPool } from "../kernels/global_pool/op.js";
import { maskPool } from "../kernels/mask_pool/op.js";
import { s2amCompose } from "../kernels/s2am_compose/op.js";
import type { Blur } from "./config.js";
import type { Layers } from "./layers.js";

/** Hidden units of a gate are its channels divided by this, rounded down. */
const REDUCTION = 16;

/**
 * @param x [N, H, W, C]
 * @param mask [N, H, W, 1], blurred
 * @param key of the module, `...attention`
 * @returns like x
 */
export function s2am(layers: Layers, x: Tensor, mask: Tensor, key: string): Tensor {
  const pooled = globalPool(x, { name: `${key}.pooled` }); // one pooling serves three gates
  const gate = (name: string): Tensor => gateOf(layers, pooled, `${key}.${name}_attention.fc`);
  const foreground = channelGate(x, gate("spliced"), { name: `${key}.spliced` });
  const learned = learnableBlock(layers, foreground, `${key}.connection`);
  return s2amCompose({ l: learned, x, gMix: gate("mixed"), gBg: gate("background"), m: mask }, {}, { name: key });
}

/** sigmoid(W2 relu(W1 [avg, max])): what a gate multiplies its channels by, [N, C]. */
function gateOf(layers: Layers, pooled: Tensor, key: string): Tensor {
  const channels = (pooled.shape[1] ?? 0) / 2;
  const hidden = layers.linear(pooled, `${key}.0`, Math.floor(channels / REDUCTION), { activation: "relu" });
  return layers.linear(hidden, `${key}.2`, channels, { activation: "sigmoid" });
}

/** L: conv3x3 (C -> 2C) BN ELU, conv3x3 (2C -> C) BN ELU. */
function learnableBlock(layers: Layers, x: Tensor, key: string): Tensor {
  const channels = x.shape[3] ?? 0;
  const same = { kernel: 3, stride: 1, padding: 1, activation: "elu" } as const;
  const wide = layers.conv(x, `${key}.rconv1`, { ...same, channels: 2 * channels, norm: `${key}.rbn1` });
  return layers.conv(wide, `${key}.rconv2`, { ...same, channels, norm: `${key}.rbn2` });
}

/** M at a level: the full-size mask pooled to its size, rounded, and blurred. */
export function levelMask(mask: Tensor, width: number, blur: Blur): Tensor {
  const stride = (mask.shape[2] ?? 0) / width;
  const pooled = stride === 1 ? mask : maskPool(mask, { stride });
  return gaussianBlur(pooled, { kernel: blur });
}
