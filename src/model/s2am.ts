/**
 * The Spatial-Separated Attention Module (paper, section 3.2, eq. 1): y = M * [L(Gfg(x)) + Gmix(x)] + (1 - M) * Gbg(x).
 * An ablated one (section 4.5.2) has the identity for the gates or for L, or lacks the term Gmix(x).
 */
import { constant, nhwc, type Tensor } from "../graph/tensor.js";
import { channelGate } from "../kernels/channel_gate/op.js";
import { concat } from "../kernels/concat/op.js";
import { globalPool } from "../kernels/global_pool/op.js";
import { s2amCompose } from "../kernels/s2am_compose/op.js";
import { lacks, type ModelConfig } from "./config.js";
import type { Layers } from "./layers.js";

/** Hidden units of a gate are its channels divided by this, rounded down. */
const REDUCTION = 16;

/** The gates, in the order of their packing: Gfg, Gmix, Gbg. */
const GATE_KEYS = ["spliced", "mixed", "background"] as const;

/**
 * @param config which parts there are
 * @param x [N, H, W, C]
 * @param m [N, H, W, 1], the blurred mask
 * @param key of the module, `...attention`
 * @returns like x
 */
export function s2am(layers: Layers, config: ModelConfig, x: Tensor, m: Tensor, key: string): Tensor {
  const channels = x.shape[3] ?? 0;
  const { foreground, composing } = gatesOf(layers, config, x, key);
  if (lacks(config, "learned")) {
    const l = foreground ? channelGate(x, foreground, { name: `${key}.spliced` }) : x;
    return s2amCompose({ l, x, gates: composing, m }, {}, { name: key });
  }
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

interface Gates {
  /** [N, C]; undefined where the foreground's features go into L as they are. */
  readonly foreground: Tensor | undefined;
  /** [N, 2 C]: Gmix, then Gbg. Gates that are left out stand open at 1; a term that is left out has the gate 0. */
  readonly composing: Tensor;
}

function gatesOf(layers: Layers, config: ModelConfig, x: Tensor, key: string): Gates {
  const [n, , , c] = nhwc("s2am", "x", x.shape);
  const units = Math.floor(c / REDUCTION);
  const keyOf = (name: string): string => `${key}.${name}_attention.fc`;
  if (lacks(config, "gates")) {
    const mixed = lacks(config, "mixed") ? 0 : 1;
    const open = Float32Array.from({ length: n * 2 * c }, (_, i) => (i % (2 * c) < c ? mixed : 1));
    return { foreground: undefined, composing: constant(`${key}.open`, [n, 2 * c], open) };
  }
  if (!lacks(config, "mixed")) return layers.gates(x, { key, keys: GATE_KEYS.map(keyOf), units });
  const pooled = globalPool(x, { name: `${key}.pooled` });
  const gate = (name: string): Tensor => {
    const hidden = layers.linear(pooled, `${keyOf(name)}.0`, { outputs: units, activation: "relu" });
    return layers.linear(hidden, `${keyOf(name)}.2`, { outputs: c, activation: "sigmoid" });
  };
  const closed = constant(`${key}.closed`, [n, c], new Float32Array(n * c));
  return { foreground: gate("spliced"), composing: concat([closed, gate("background")], { name: `${key}.composing` }) };
}
