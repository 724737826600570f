/** Values on their way to and from buffers: callers have float32, a buffer what its dtype says. */
import { AdapterError, InputError } from "../errors.js";
import { float16ToFloat32, float32ToFloat16 } from "../float16.js";
import type { Runtime } from "./runtime.js";
import type { DType } from "./tensor.js";

/** The largest number that f16 holds. */
export const F16_MAX = 65504;

/**
 * @returns what to write to a buffer, a multiple of 4 bytes
 * @throws InputError for a finite value that f16 cannot hold: it would turn into an infinity
 */
export function encode(name: string, values: Float32Array, dtype: DType): ArrayBufferView<ArrayBuffer> {
  if (dtype === "f32") return values as Float32Array<ArrayBuffer>;
  const halves = new Uint16Array(values.length + (values.length % 2));
  halves.set(float32ToFloat16(values));
  const lost = halves.findIndex((half, i) => (half & 0x7fff) === 0x7c00 && Number.isFinite(values[i]));
  if (lost >= 0) {
    throw new InputError(
      `${name}: element ${lost} is ${values[lost]}, f16 holds numbers up to ${F16_MAX} only: use dtype f32`,
    );
  }
  return halves;
}

/** @param at in bytes @param length in elements */
export const decode = (bytes: ArrayBuffer, at: number, length: number, dtype: DType): Float32Array =>
  dtype === "f32" ? new Float32Array(bytes, at, length) : float16ToFloat32(new Uint16Array(bytes, at, length));

/** @throws AdapterError where the device has no such elements */
export function checkDtype({ capabilities, device }: Pick<Runtime, "capabilities" | "device">, dtype: DType): void {
  if (dtype === "f32" || capabilities.features.has("shader-f16")) return;
  const { description, device: name } = device.adapterInfo ?? {};
  throw new AdapterError(
    `dtype f16 needs a device with the feature shader-f16, which ${description || name || "this one"} lacks: ` +
      "use dtype f32, or choose another adapter (s2am doctor lists them with their features)",
  );
}
