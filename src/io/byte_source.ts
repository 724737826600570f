/**
 * Random access to bytes that may not fit in memory. Readers of weights work on this, so that a checkpoint's optimizer
 * state is never loaded, whether the file lies on disk, in a browser's Blob or in memory.
 */
import { AbortedError, InputError } from "../errors.js";

export interface ByteSource {
  /** Length in bytes. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`; rejects when they do not all exist. The result is read-only to the caller. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A source over bytes in memory. Reads are views, not copies, and plain arrays even of a Node Buffer, whose slice() is odd. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    async read(offset, length) {
      assertRange(offset, length, bytes.length);
      return new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length);
    },
  };
}

/** A source over a browser's File or Blob. */
export function blobSource(blob: Blob): ByteSource {
  return {
    size: blob.size,
    async read(offset, length) {
      assertRange(offset, length, blob.size);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
  };
}

export interface WatchOptions {
  /** Makes the next read reject with AbortedError. */
  signal?: AbortSignal | undefined;
  /** Called after each read with the bytes read so far and the source's size; parts that are skipped never count. */
  onProgress?: ((bytesRead: number, size: number) => void) | undefined;
}

/** The same source, with progress and a way to stop: every reader here takes its bytes through a source. */
export function watchSource(source: ByteSource, { signal, onProgress }: WatchOptions): ByteSource {
  let bytesRead = 0;
  const stopIfAborted = () => {
    if (signal?.aborted) throw new AbortedError("reading was aborted", { cause: signal.reason });
  };
  return {
    size: source.size,
    async read(offset, length) {
      stopIfAborted();
      const bytes = await source.read(offset, length);
      stopIfAborted();
      bytesRead += length;
      onProgress?.(bytesRead, source.size);
      return bytes;
    },
  };
}

/** Readers check ranges against what the file declares first; this guards against their own slips. */
export function assertRange(offset: number, length: number, size: number): void {
  if (!(Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0)) {
    throw new InputError(`cannot read ${length} bytes from byte ${offset}: not a range`);
  }
  if (offset + length > size) {
    throw new InputError(`cannot read bytes ${offset} to ${offset + length}: there are only ${size}`);
  }
}
