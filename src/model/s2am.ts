/** The Spatial-Separated Attention Module (paper, section 3.2, eq. 1): y = M * [L(Gfg(x)) + Gmix(x)] + (1 - M) * Gbg(x). */
import type { Tensor } from "../graph/tensor.js";
import type { Layers } from "./layers.js";

/** Hidden units of a gate are its channels divided by this, rounded down. */
const REDUCTION = 16;

/** The gates, in the order of their packing: Gfg, Gmix, Gbg. */
const GATE_KEYS = ["spliced", "mixed", "background"] as const;

/**
 * @param x [N, H, W, C]
 * @param m [N, H, W, 1], the blurred mask
 * @param key of the module, `...attention`
 * @returns like x
 */
export function s2am(layers: Layers, x: Tensor, m: Tensor, key: string): Tensor {
  const channels = x.shape[3] ?? 0;
  const units = Math.floor(channels / REDUCTION);
  const keys = GATE_KEYS.map((name) => `${key}.${name}_attention.fc`);
  const { foreground, composing } = layers.gates(x, { key, keys, units });
  const tiles = layers.tileOrder(m);
  // L: conv3x3 (C -> 2C) BN ELU, conv3x3 (2C -> C) BN ELU.
  const block = `${key}.connection`;
  const same = { kernel: 3, stride: 1, padding: 1, activation: "elu" } as const;
  const wide = { ...same, channels: 2 * channels, norm: `${block}.rbn1`, gate: foreground, tiles: tiles?.around };
  const narrow = { ...same, channels, norm: `${block}.rbn2` };
  const learned = layers.conv(x, `${block}.rconv1`, wide);
  return layers.composedConv(
    learned,
    `${block}.rconv2`,
    narrow,
    { features: x, gates: composing, m, tiles: tiles?.within },
    key,
  );
}
