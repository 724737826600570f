/**
 * Any file of weights, by what it holds rather than by its name: published S2AM checkpoints are called `.pth.tar` but
 * are no tar.
 */
import { WeightsError } from "../errors.js";
import type { ByteSource } from "./byte_source.js";
import { type CheckpointInfo, readPytorchCheckpoint } from "./pytorch/checkpoint.js";
import { looksLikeLegacy } from "./pytorch/legacy_container.js";
import { looksLikeSafetensors, readSafetensors } from "./safetensors.js";
import type { HostTensor } from "./tensor_data.js";
import { looksLikeZip } from "./zip_reader.js";

export interface WeightsFile {
  readonly tensors: Map<string, HostTensor>;
  /** The strings of a safetensors file, or of a checkpoint that `s2am convert` wrote; empty for others. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What a PyTorch checkpoint says of itself; absent for safetensors. */
  readonly info?: CheckpointInfo;
}

const HEAD_BYTES = 512;

/** Reads safetensors or a PyTorch checkpoint of either container. Throws WeightsError, naming what else the file is. */
export async function readWeights(source: ByteSource, name = "weights"): Promise<WeightsFile> {
  const head = await source.read(0, Math.min(HEAD_BYTES, source.size));
  if (looksLikeZip(head) || looksLikeLegacy(head)) {
    const { tensors, info } = await readPytorchCheckpoint(source, name);
    return { tensors, metadata: info.metadata ?? {}, info };
  }
  if (looksLikeSafetensors(head) || name.endsWith(".safetensors")) return readSafetensors(source, name);
  throw new WeightsError(`${name}: ${describe(head)}; expected .safetensors or a PyTorch checkpoint (.pth, .pth.tar)`);
}

/** What the file seems to be, and what to do about it. */
function describe(head: Uint8Array): string {
  const text = String.fromCharCode(...head); // one character a byte
  if (head.length === 0) return "is empty";
  if (text.startsWith("ustar", 257)) return "is a real tar archive; unpack it and give the file inside";
  if (text.startsWith("\x1f\x8b")) return "is compressed with gzip; unpack it first";
  if (text.startsWith("version https://git-lfs")) return "is a Git LFS pointer, not the file itself; run git lfs pull";
  if (/^\s*<(?:!doctype|html|\?xml)/i.test(text))
    return "is a web page, perhaps a download's error message; fetch it again";
  if (text.startsWith("\x80")) return "is a Python pickle, but not one written by torch.save";
  return "is in no format of weights that is known here";
}
