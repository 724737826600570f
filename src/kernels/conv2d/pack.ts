/** Weights in the forms that variants read them in. */
import { ceilDiv, grid1d, type Pass, pass, type Scratch, scratch, type TensorView } from "../../graph/op.js";
import { sizeOf } from "../../graph/tensor.js";
import { pack_conv_blocked } from "../../shaders.generated.js";

/** [R, S, C_in, C_out] to [ceil(C_out / channels), C_in, R * S, channels]. */
export function packBlocked(w: TensorView, channels: number): { packed: Scratch; prepare: Pass } {
  const [r = 0, s = 0, C_IN = 0, C_OUT = 0] = w.shape;
  const SIZE = (sizeOf(w.shape) / C_OUT) * ceilDiv(C_OUT, channels) * channels;
  const packed = scratch(`weight in blocks of ${channels}`, SIZE);
  const overrides = { C_IN, C_OUT, TAPS: r * s, CHANNELS: channels, SIZE };
  return { packed, prepare: pass(pack_conv_blocked, { bind: { w, packed }, overrides, workgroups: grid1d(ceilDiv(SIZE, 64)) }) };
}
