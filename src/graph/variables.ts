/** Variables on the device: allocated when first used, changed by runs, read back and overwritten for checkpoints. */
import { InputError, ShapeError } from "../errors.js";
import {
  GPU_COPY_DST,
  GPU_COPY_SRC,
  GPU_MAP_MODE_READ,
  GPU_MAP_READ,
  GPU_STORAGE,
  type GpuAllocation,
} from "../gpu/memory.js";
import { scoped } from "../gpu/scopes.js";
import type { Runtime } from "./runtime.js";
import { showShape, sizeOf, type Tensor, type Variable } from "./tensor.js";

const USAGE = GPU_STORAGE | GPU_COPY_SRC | GPU_COPY_DST;

export class VariableStore {
  private readonly allocations = new Map<Variable, GpuAllocation>();

  constructor(private readonly runtime: Runtime) {}

  /** The variable's buffer, filled with its initial values at the first call. */
  of(variable: Variable): GPUBuffer {
    const existing = this.allocations.get(variable);
    if (existing) return existing.buffer;
    const allocation = this.runtime.memory.create(variable.name, sizeOf(variable.shape) * 4, USAGE);
    this.allocations.set(variable, allocation);
    this.upload(variable, allocation.buffer, variable.initial());
    return allocation.buffer;
  }

  /** @param values of the tensor's shape @throws ShapeError */
  write(tensor: Tensor, values: Float32Array): void {
    const variable = variableOf(tensor);
    this.upload(variable, this.of(variable), values);
  }

  /** Values of several variables, in the order given. */
  async read(tensors: readonly Tensor[]): Promise<Float32Array[]> {
    const values: Float32Array[] = [];
    for (const group of groupsOf(tensors)) values.push(...(await this.readAtOnce(group)));
    return values;
  }

  private async readAtOnce(tensors: readonly Tensor[]): Promise<Float32Array[]> {
    const { device, memory } = this.runtime;
    const sizes = tensors.map(({ shape }) => sizeOf(shape) * 4);
    const staging = memory.create(
      "read-back of variables",
      sizes.reduce((a, b) => a + b, 0),
      GPU_MAP_READ | GPU_COPY_DST,
    );
    try {
      await scoped(device, "reading variables", () => {
        const encoder = device.createCommandEncoder();
        let at = 0;
        tensors.forEach((tensor, i) => {
          encoder.copyBufferToBuffer(this.of(variableOf(tensor)), 0, staging.buffer, at, sizes[i]);
          at += sizes[i] ?? 0;
        });
        device.queue.submit([encoder.finish()]);
      });
      await this.runtime.wait(staging.buffer.mapAsync(GPU_MAP_MODE_READ));
      const bytes = staging.buffer.getMappedRange().slice(0);
      let at = 0;
      return sizes.map((size) => {
        const values = new Float32Array(bytes, at, size / 4);
        at += size;
        return values;
      });
    } finally {
      staging.destroy();
    }
  }

  dispose(): void {
    for (const allocation of this.allocations.values()) allocation.destroy();
    this.allocations.clear();
  }

  private upload({ name, shape }: Variable, buffer: GPUBuffer, values: Float32Array): void {
    if (values.length !== sizeOf(shape)) {
      throw new ShapeError(`variable ${name}: ${showShape(shape)} needs ${sizeOf(shape)} values, got ${values.length}`);
    }
    this.runtime.device.queue.writeBuffer(buffer, 0, values as Float32Array<ArrayBuffer>);
  }
}

/** Bytes read back at once: a training's whole state may be larger than a buffer may be, or than the room that is left. */
const GROUP_BYTES = 1 << 26;

function groupsOf(tensors: readonly Tensor[]): Tensor[][] {
  const groups: Tensor[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    const size = sizeOf(tensor.shape) * 4;
    if (bytes + size > GROUP_BYTES) {
      groups.push([]);
      bytes = 0;
    }
    groups.at(-1)?.push(tensor);
    bytes += size;
  }
  return groups;
}

function variableOf(tensor: Tensor): Variable {
  if (tensor.source.kind !== "variable") throw new InputError(`${tensor.name} is not a variable`);
  return tensor.source.variable;
}
