/** Weights in the form that the subgroup kernels read them in. */
import { ceilDiv, grid1d, type Pass, pass, type Scratch, scratch, type TensorView } from "../../graph/op.js";
import { pack_conv_subgroup } from "../../shaders.generated.js";

export interface PackOptions {
  /** Output channels a block. */
  readonly channels: number;
  /** Input channels are filled up to a multiple of this. */
  readonly depth: number;
  /** Whether a block runs channel by channel with its taps inside, or tap by tap. */
  readonly tapInside: boolean;
  /** The weight is [4, 4, C_out, C_in] and becomes its four parity phases. */
  readonly transposed: boolean;
}

/** [R, S, C_in, C_out] to [phases, ceil(C_out / channels), taps, C_in up to depth, channels] (or channel before tap). */
export function packSubgroup(
  w: TensorView,
  { channels, depth, tapInside, transposed }: PackOptions,
): { packed: Scratch; prepare: Pass } {
  const [r = 0, s = 0, third = 0, fourth = 0] = w.shape;
  const [cIn, cOut] = transposed ? [fourth, third] : [third, fourth];
  const phases = transposed ? 4 : 1;
  const taps = (r * s) / phases;
  const cPadded = ceilDiv(cIn, depth) * depth;
  const size = phases * ceilDiv(cOut, channels) * channels * taps * cPadded;
  const packed = scratch("weight for subgroups", size);
  const params = {
    phases,
    taps,
    c_in: cIn,
    c_padded: cPadded,
    c_out: cOut,
    tap_inside: tapInside ? 1 : 0,
    channels,
    size,
  };
  return {
    packed,
    prepare: pass(pack_conv_subgroup, { bind: { w, packed }, params, workgroups: grid1d(ceilDiv(size, 64)) }),
  };
}
