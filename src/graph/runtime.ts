/**
 * What plans on one device share: pipelines, uploaded constants and their repacked forms, and the count of live bytes.
 * There is no default device: whoever compiles passes a runtime.
 */

import { isSoftwareDevice } from "../gpu/device.js";
import { waitIdly } from "../gpu/idle.js";
import { GPU_COPY_DST, GPU_COPY_SRC, GPU_INDIRECT, GPU_STORAGE, type GpuAllocation, GpuMemory } from "../gpu/memory.js";
import { PipelineCache } from "../gpu/pipelines.js";
import { orLost } from "../gpu/scopes.js";
import { tuningOf } from "../tuning/device_tuning.js";
import type { TuningTable } from "../tuning/table.js";
import type { Capabilities, MatrixUnits } from "./op.js";
import type { ConstantSource } from "./tensor.js";
import { VariableStore } from "./variables.js";

export interface RuntimeOptions {
  /**
   * Whether kernels are chosen as for a CPU that poses as a GPU; read off the adapter's info where it is not given. Against
   * what that says no table of measured choices is used either, for it holds the other kind's.
   */
  readonly software?: boolean;
  /** Measured choices, the tables that win first; by default those that are known for the device. */
  readonly tuningTables?: readonly TuningTable[] | undefined;
  /** What `findMatrixUnits` found on the device: convolutions stored as f16 then run on it. By default none is used. */
  readonly matrixUnits?: MatrixUnits | undefined;
}

export const BUFFER_USAGE = GPU_STORAGE | GPU_COPY_SRC | GPU_COPY_DST | GPU_INDIRECT;

interface Shared {
  readonly allocation: GpuAllocation;
  users: number;
}

export class Runtime {
  readonly memory: GpuMemory;
  readonly pipelines: PipelineCache;
  readonly capabilities: Capabilities;
  readonly variables: VariableStore;
  readonly tuningTables: readonly TuningTable[];
  /** Whether its work runs on the cores that wait for it. */
  private readonly sharesCores: boolean;
  private readonly constants = new Map<ConstantSource, Map<string, Shared>>();
  private zeros: GpuAllocation | undefined;

  constructor(
    readonly device: GPUDevice,
    options: RuntimeOptions = {},
  ) {
    this.memory = new GpuMemory(device);
    this.pipelines = PipelineCache.of(device);
    this.variables = new VariableStore(this);
    this.sharesCores = isSoftwareDevice(device);
    this.capabilities = capabilitiesOf(device, options, this.sharesCores);
    const asItIs = this.capabilities.software === this.sharesCores;
    this.tuningTables = options.tuningTables ?? (asItIs ? tuningOf(device) : []);
  }

  /** A few zero bytes, bound where an optional operand is absent. Written, as a device may be told not to clear memory. */
  zeroBuffer(): GPUBuffer {
    if (!this.zeros) {
      this.zeros = this.memory.create("zeros", 64, BUFFER_USAGE);
      this.device.queue.writeBuffer(this.zeros.buffer, 0, new Uint8Array(64));
    }
    return this.zeros.buffer;
  }

  /**
   * Memory derived from a constant, shared by all plans that ask for the same `form` of it.
   * @param form "" for the constant as it is, else what was done to it
   * @returns the buffer, whether it still must be filled, and the way to give it back
   */
  shareConstant(
    source: ConstantSource,
    form: string,
    bytes: number,
  ): { buffer: GPUBuffer; fresh: boolean; release: () => void } {
    const forms = this.constants.get(source) ?? new Map<string, Shared>();
    this.constants.set(source, forms);
    const existing = forms.get(form);
    const shared = existing ?? { allocation: this.memory.create(source.name, bytes, BUFFER_USAGE), users: 0 };
    forms.set(form, shared);
    shared.users += 1;
    let held = true;
    const release = (): void => {
      if (!held) return;
      held = false;
      shared.users -= 1;
      if (shared.users > 0) return;
      shared.allocation.destroy();
      forms.delete(form);
      if (forms.size === 0) this.constants.delete(source);
    };
    return { buffer: shared.allocation.buffer, fresh: !existing, release };
  }

  /** Awaits GPU work, leaving the cores to a software adapter. Rejects with DeviceLostError when the device is lost. */
  wait<T>(work: Promise<T>): Promise<T> {
    const settled = orLost(this.device, work);
    return this.sharesCores ? waitIdly(settled) : settled;
  }

  /** Frees what plans do not own, variables too. Plans are disposed of first, by their owners. */
  dispose(): void {
    this.variables.dispose();
    this.zeros?.destroy();
    this.zeros = undefined;
  }
}

function capabilitiesOf(
  device: GPUDevice,
  { software, matrixUnits }: RuntimeOptions,
  isSoftware: boolean,
): Capabilities {
  const info: Partial<GPUAdapterInfo> = device.adapterInfo ?? {};
  const { subgroupMinSize = 0, subgroupMaxSize = 0 } = info;
  return {
    features: new Set(device.features),
    limits: device.limits,
    subgroupSize: subgroupMinSize === subgroupMaxSize ? subgroupMinSize : 0,
    matrixUnits,
    vendor: info.vendor ?? "",
    architecture: info.architecture ?? "",
    software: software ?? isSoftware,
  };
}
