/** What storing a network as f16 costs in accuracy: its output beside that of the same network stored as f32. */
import { Network, type NetworkShape } from "./network.js";

export interface DtypeError {
  /** The largest difference of an output. */
  readonly maxAbs: number;
  /** ... as a share of the largest output. */
  readonly maxRelative: number;
  /** Decibels of the difference, for a peak of 1; null where there is none. */
  readonly psnr: number | null;
}

/** @param exact what `found` should be */
export function differenceOf(found: Float32Array, exact: Float32Array): DtypeError {
  if (found.length !== exact.length) throw new Error(`differenceOf: ${found.length} values and ${exact.length}`);
  // Two runs on a device that does not compute agree perfectly.
  if (exact.length > 1 && exact.every((value) => value === exact[0]))
    throw new Error(
      `differenceOf: the network stored as f32 answers ${exact[0]} everywhere: the device does not compute`,
    );
  let [maxAbs, largest, squares] = [0, 0, 0];
  exact.forEach((value, i) => {
    const difference = Math.abs(value - (found[i] ?? Number.NaN));
    const error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    maxAbs = Math.max(maxAbs, error);
    squares += error ** 2;
    largest = Math.max(largest, Math.abs(value));
  });
  const mse = squares / exact.length;
  return { maxAbs, maxRelative: maxAbs === 0 ? 0 : maxAbs / largest, psnr: mse === 0 ? null : -10 * Math.log10(mse) };
}

/**
 * Runs the same network once in f32, on the same device and input.
 * @param y what `network` made of x
 */
export async function dtypeErrorOf(
  network: Network,
  x: Float32Array,
  shape: NetworkShape,
  y: Float32Array,
): Promise<DtypeError> {
  const exact = new Network(network.model, network.runtime.device, network.runtime.capabilities);
  exact.runtime.memory.limitBytes = network.runtime.memory.limitBytes;
  try {
    const { outputs } = await exact.run(x, shape);
    return differenceOf(y, outputs.y ?? new Float32Array(0));
  } finally {
    await exact.dispose();
  }
}

/** "largest difference from f32 1.2e-3 (1.1e-3 of the largest value), 71.3 dB" */
export const showDtypeError = ({ maxAbs, maxRelative, psnr }: DtypeError): string =>
  `largest difference from f32 ${maxAbs.toExponential(1)} (${maxRelative.toExponential(1)} of the largest value), ` +
  (psnr === null ? "no difference on average" : `${psnr.toFixed(1)} dB`);
