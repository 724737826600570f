/** Weights and inputs made from names, as scripts/make_model_fixtures.py makes them, to the bit. */
import { sizeOf } from "../../src/graph/tensor.js";
import { fromFloat32, type HostTensor } from "../../src/io/tensor_data.js";
import type { ModelConfig } from "../../src/model/config.js";
import { parameterShapes } from "../../src/model/weights.js";
import { mulberry32 } from "../../src/random.js";

/** Uniform numbers in [0, 1) seeded by the FNV-1a hash of a name. */
function uniform(name: string): () => number {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193) >>> 0;
  return mulberry32(seed);
}

function drawOf(key: string, shape: readonly number[]): (u: number) => number {
  if (key.endsWith("running_var")) return (u) => 0.5 + u;
  if (key.endsWith("running_mean") || key.endsWith("bias")) return (u) => 0.1 * (2 * u - 1);
  if (shape.length === 1) return (u) => 0.75 + 0.5 * u;
  const bound = Math.sqrt(6 / sizeOf(shape.slice(1)));
  return (u) => (2 * u - 1) * bound;
}

export function hashedTensors(config: ModelConfig): Map<string, HostTensor> {
  return new Map(
    [...parameterShapes(config)].map(([key, shape]) => {
      const next = uniform(key);
      const draw = drawOf(key, shape);
      return [
        key,
        fromFloat32(
          Float32Array.from({ length: sizeOf(shape) }, () => draw(next())),
          shape,
          "F32",
        ),
      ];
    }),
  );
}

/** [N, H, W, 4]: RGB by name, and a disc as the mask. */
export function hashedPicture(batch: number, height: number, width: number, name = "input"): Float32Array {
  const x = new Float32Array(batch * height * width * 4);
  const next = uniform(name);
  const at = (n: number, y: number, column: number, c: number): number => ((n * height + y) * width + column) * 4 + c;
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < height; y++) for (let column = 0; column < width; column++) x[at(n, y, column, c)] = next();
    }
    for (let y = 0; y < height; y++) {
      for (let column = 0; column < width; column++) {
        const inside = (y - height * 0.45) ** 2 + (column - width * 0.55) ** 2 < (height * 0.3) ** 2;
        x[at(n, y, column, 3)] = inside ? 1 : 0;
      }
    }
  }
  return x;
}

/** [N, H, W, 3] by name. */
export function hashedTarget(batch: number, height: number, width: number, name = "target"): Float32Array {
  const target = new Float32Array(batch * height * width * 3);
  const next = uniform(name);
  const pixels = height * width;
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < 3; c++)
      for (let pixel = 0; pixel < pixels; pixel++) target[(n * pixels + pixel) * 3 + c] = next();
  }
  return target;
}
