/**
 * Every error a caller can mend is an `S2amError`: it names the operation, what was expected, what came, and the cure.
 * Anything else that escapes is a fault of this project. The command line turns the first into exit code 2 and the
 * second into 1.
 */
export type ErrorCode =
  | "INPUT"
  | "USAGE"
  | "WEIGHTS"
  | "ADAPTER"
  | "MEMORY"
  | "SHAPE"
  | "ABORTED"
  | "DEVICE_LOST"
  | "DIVERGED";

export class S2amError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.name = new.target.name;
  }
}

/** An image, array or file that is missing, damaged, too large or of the wrong form. */
export class InputError extends S2amError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("INPUT", message, options);
  }
}

/** An option or argument outside its range. */
export class UsageError extends S2amError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("USAGE", message, options);
  }
}

/** Weights that are damaged, hostile, incomplete, or of another architecture. */
export class WeightsError extends S2amError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("WEIGHTS", message, options);
  }
}

/** No adapter, or not the one that was asked for. */
export class AdapterError extends S2amError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("ADAPTER", message, options);
  }
}

/** The work needs more memory, or a larger buffer, than the device gives. */
export class OutOfMemoryError extends S2amError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("MEMORY", message, options);
  }
}

/** Tensors whose shapes do not fit an operation. */
export class ShapeError extends S2amError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("SHAPE", message, options);
  }
}

/** The caller's AbortSignal fired. */
export class AbortedError extends S2amError {
  constructor(message = "aborted", options?: { cause?: unknown }) {
    super("ABORTED", message, options);
  }
}

/** The GPU device was lost (driver reset, tab in the background, unplugged). */
export class DeviceLostError extends S2amError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("DEVICE_LOST", message, options);
  }
}

/** A training whose losses or gradients stay infinite or NaN. */
export class DivergedError extends S2amError {
  constructor(message: string, options?: { cause?: unknown }) {
    super("DIVERGED", message, options);
  }
}
