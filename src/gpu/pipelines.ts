/** Pipelines by shader and specialization, created asynchronously and once. */
import { GPU_STAGE_COMPUTE } from "./memory.js";
import type { Access, AnyShader } from "./shader.js";
import { specialize } from "./specialize.js";

export interface PipelineSpec {
  readonly shader: AnyShader;
  readonly overrides: Readonly<Record<string, number>>;
  readonly consts: Readonly<Record<string, number>>;
  readonly types: Readonly<Record<string, string>>;
}

const LAYOUT_TYPE: Record<Access, GPUBufferBindingType> = {
  read: "read-only-storage",
  read_write: "storage",
  uniform: "uniform",
};

export const pipelineKey = ({ shader, overrides, consts, types }: PipelineSpec): string =>
  `${shader.name} ${JSON.stringify([overrides, consts, types])}`;

interface CompiledModule {
  readonly module: GPUShaderModule;
  /** What the compiler objects to. */
  readonly error: Promise<GPUError | null>;
}

export class PipelineCache {
  private static readonly caches = new WeakMap<GPUDevice, PipelineCache>();

  private readonly pipelines = new Map<string, Promise<GPUComputePipeline>>();
  private readonly layouts = new Map<string, GPUBindGroupLayout>();
  private readonly modules = new Map<string, CompiledModule>();
  /** Sources by number: a shader's name alone would not tell a text that tests have changed from the one in the box. */
  private readonly sources = new Map<string, number>();

  constructor(private readonly device: GPUDevice) {}

  /** The device's: whatever runs on it, a pipeline is compiled once. */
  static of(device: GPUDevice): PipelineCache {
    const cache = PipelineCache.caches.get(device) ?? new PipelineCache(device);
    PipelineCache.caches.set(device, cache);
    return cache;
  }

  get(spec: PipelineSpec): Promise<GPUComputePipeline> {
    const key = `${this.numberOf(spec.shader.source)} ${pipelineKey(spec)}`;
    let pipeline = this.pipelines.get(key);
    if (!pipeline) {
      pipeline = this.create(spec);
      this.pipelines.set(key, pipeline);
      pipeline.catch(() => this.pipelines.delete(key));
    }
    return pipeline;
  }

  private numberOf(source: string): number {
    const number = this.sources.get(source) ?? this.sources.size;
    this.sources.set(source, number);
    return number;
  }

  /** Explicit rather than `layout: "auto"`, which drops a binding that a specialization leaves unused. */
  bindGroupLayout(shader: AnyShader): GPUBindGroupLayout {
    let layout = this.layouts.get(shader.name);
    if (!layout) {
      const entries = shader.bindings.map(({ binding, access }) => ({
        binding,
        visibility: GPU_STAGE_COMPUTE,
        buffer: { type: LAYOUT_TYPE[access] },
      }));
      layout = this.device.createBindGroupLayout({ label: shader.name, entries });
      this.layouts.set(shader.name, layout);
    }
    return layout;
  }

  private async create({ shader, overrides, consts, types }: PipelineSpec): Promise<GPUComputePipeline> {
    for (const name of shader.required) {
      if (!(name in overrides)) throw new Error(`${shader.name}: override ${name} was not given`);
    }
    const { module, error } = this.module(shader.name, specialize(shader.source, { consts, types }));
    const layout = this.device.createPipelineLayout({ bindGroupLayouts: [this.bindGroupLayout(shader)] });
    const compute = { module, entryPoint: "main", constants: { ...overrides } };
    try {
      return await this.device.createComputePipelineAsync({ label: shader.name, layout, compute });
    } catch (cause) {
      // The pipeline's own error only says that its module is invalid; the module's has the line.
      throw new Error(`${shader.name}: ${(await error)?.message ?? String(cause)}`, { cause });
    }
  }

  private module(label: string, code: string): CompiledModule {
    let compiled = this.modules.get(code);
    if (!compiled) {
      this.device.pushErrorScope("validation");
      const module = this.device.createShaderModule({ label, code });
      compiled = { module, error: this.device.popErrorScope().catch(() => null) };
      this.modules.set(code, compiled);
    }
    return compiled;
  }
}
