/**
 * A checkpoint as bytes: one safetensors file whose metadata carries the rest as JSON, so that one rename replaces both,
 * and the SHA-256 of the whole file, taken with the digest's own 64 digits as zeros, so that no byte is left unchecked.
 */
import { createHash } from "node:crypto";
import * as v from "valibot";
import { WeightsError } from "../errors.js";
import { parseSafetensors, serializeSafetensors } from "../io/safetensors.js";
import type { HostTensor } from "../io/tensor_data.js";
import { configSchema } from "./config.js";
import { kernelChoicesSchema } from "./kernel_choices_schema.js";
import { progressSchema } from "./progress.js";

const FORMAT = "s2am-checkpoint-1";

const stateSchema = v.strictObject({
  progress: progressSchema,
  config: configSchema,
  kernels: v.optional(kernelChoicesSchema),
});

/** Everything that a run needs to go on, but its tensors. */
export type TrainingState = v.InferOutput<typeof stateSchema>;

export interface Checkpoint {
  readonly state: TrainingState;
  /** `param/KEY`, `m/KEY`, `v/KEY`, `ema/KEY` by PyTorch's keys, in PyTorch's layouts. */
  readonly tensors: ReadonlyMap<string, HostTensor>;
}

/** How every checkpoint begins, after the 8 bytes that hold the header's length; the digest's digits follow. */
const OPENING = new TextEncoder().encode('{"__metadata__":{"sha256":"');
const DIGEST_AT = 8 + OPENING.length;
const DIGITS = 64;
const ZERO_DIGITS = "0".repeat(DIGITS);

export function serializeCheckpoint({ state, tensors }: Checkpoint): Uint8Array {
  const bytes = serializeSafetensors(tensors, { sha256: ZERO_DIGITS, format: FORMAT, state: JSON.stringify(state) });
  bytes.set(new TextEncoder().encode(sha256(bytes)), DIGEST_AT);
  return bytes;
}

/**
 * @param bytes are taken over: the tensors are views into them, and the digest in them is blanked
 * @throws WeightsError naming what is wrong with a file that is damaged, truncated or none of ours
 */
export function parseCheckpoint(bytes: Uint8Array, name: string): Checkpoint {
  if (OPENING.some((byte, i) => bytes[8 + i] !== byte) || bytes.length < DIGEST_AT + DIGITS) {
    throw new WeightsError(`${name}: does not begin as a checkpoint of a training does`);
  }
  const digits = bytes.subarray(DIGEST_AT, DIGEST_AT + DIGITS);
  const said = new TextDecoder("latin1").decode(digits);
  digits.fill(0x30);
  if (sha256(bytes) !== said)
    throw new WeightsError(`${name}: is damaged (its SHA-256 is not the one it was written with)`);
  const { metadata, tensors } = parseSafetensors(bytes, name);
  if (metadata.format !== FORMAT)
    throw new WeightsError(`${name}: is of format ${metadata.format}, this version reads ${FORMAT}`);
  return { state: parseState(metadata.state ?? "", name), tensors };
}

function parseState(text: string, name: string): TrainingState {
  try {
    return v.parse(stateSchema, JSON.parse(text));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new WeightsError(`${name}: its training state cannot be read (${reason})`, { cause });
  }
}

/** One call of the hash takes less than 2 GiB. */
const CHUNK = 1 << 28;

function sha256(bytes: Uint8Array): string {
  const hash = createHash("sha256");
  for (let at = 0; at < bytes.length; at += CHUNK) hash.update(bytes.subarray(at, at + CHUNK));
  return hash.digest("hex");
}
