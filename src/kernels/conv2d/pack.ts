/** Weights in the form that the subgroup kernels read them in. */
import { ceilDiv, type Pass, pass, type Scratch, scratch, type TensorView } from "../../graph/op.js";
import { pack_conv_subgroup } from "../../shaders.generated.js";
import { threads } from "../views.js";

export interface PackOptions {
  /** Output channels a block. */
  readonly channels: number;
  /** Input channels are filled up to a multiple of this. */
  readonly depth: number;
  /** Whether a block runs channel by channel with its taps inside, or tap by tap. */
  readonly tapInside: boolean;
  /** Of a transposed convolution the weight is [R, S, C_out, C_in]; taps are reversed, those of stride 2 split in phases. */
  readonly transposed?: { readonly stride: 1 | 2 } | undefined;
}

export interface PackedWeight {
  readonly packed: Scratch;
  readonly prepare: Pass;
}

/** [R, S, C_in, C_out] to [phases, ceil(C_out / channels), taps, C_in up to depth, channels] (or channel before tap). */
export function packSubgroup(w: TensorView, options: PackOptions): PackedWeight {
  const { channels, depth, tapInside, transposed } = options;
  const [r = 0, s = 0, third = 0, fourth = 0] = w.shape;
  const [cIn, cOut] = transposed ? [fourth, third] : [third, fourth];
  const phases = transposed?.stride === 2 ? 4 : 1;
  const taps = (r * s) / phases;
  const cPadded = ceilDiv(cIn, depth) * depth;
  const size = phases * ceilDiv(cOut, channels) * channels * taps * cPadded;
  const packed = scratch("weight for subgroups", size);
  const params = {
    transposed: transposed ? 1 : 0,
    phases,
    taps,
    c_in: cIn,
    c_padded: cPadded,
    c_out: cOut,
    tap_inside: tapInside ? 1 : 0,
    channels,
    size,
  };
  return { packed, prepare: pass(pack_conv_subgroup, { bind: { w, packed }, params, workgroups: threads(size) }) };
}
