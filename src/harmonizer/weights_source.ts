/** Weights as a program gives them: bytes, a source that is read in ranges, or an address to fetch. */
import { AbortedError, InputError } from "../errors.js";
import { type ByteSource, bytesSource } from "../io/byte_source.js";

/** Weights as safetensors or as a PyTorch checkpoint: bytes, a source that is read in ranges, or an address to fetch. */
export type WeightsInput = Uint8Array | ArrayBuffer | ByteSource | URL | string;

export interface LoadProgress {
  readonly stage: "download";
  /** Bytes. */
  readonly done: number;
  /** Bytes; 0 when the server does not say. */
  readonly total: number;
}

export interface DownloadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/** @throws InputError where they cannot be fetched; AbortedError */
export async function sourceOf(weights: WeightsInput, options: DownloadOptions): Promise<ByteSource> {
  if (weights instanceof Uint8Array) return bytesSource(weights);
  if (weights instanceof ArrayBuffer) return bytesSource(new Uint8Array(weights));
  if (typeof weights === "string" || weights instanceof URL)
    return bytesSource(await download(String(weights), options));
  return weights;
}

async function download(address: string, options: DownloadOptions): Promise<Uint8Array> {
  try {
    return await fetchBytes(address, options);
  } catch (cause) {
    if (options.signal?.aborted)
      throw new AbortedError(`${address}: the download was aborted by the caller`, { cause });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InputError(`${address}: the weights could not be fetched (${reason})`, { cause });
  }
}

async function fetchBytes(address: string, { signal, onProgress }: DownloadOptions): Promise<Uint8Array> {
  const response = await fetch(address, { signal: signal ?? null });
  if (!response.ok || !response.body) throw new Error(`HTTP ${response.status}`);
  // The length of a compressed transfer says nothing of what comes out of it.
  const total = response.headers.has("content-encoding") ? 0 : Number(response.headers.get("content-length") ?? 0);
  const parts: Uint8Array[] = [];
  let done = 0;
  const reader = response.body.getReader();
  for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
    parts.push(chunk.value);
    done += chunk.value.length;
    onProgress?.({ stage: "download", done, total });
  }
  const bytes = new Uint8Array(done);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
