/** One pass as a dispatch: its pipeline, its bind group, its workgroups. */
import { OutOfMemoryError } from "../errors.js";
import type { ShaderBinding } from "../gpu/shader.js";
import type { Operand, Pass } from "./op.js";
import type { Dispatch } from "./plan.js";
import type { Runtime } from "./runtime.js";

export interface Resources {
  /** The buffer of an operand that is there; `runtime.zeroBuffer()` stands for one that is absent. */
  of(operand: Exclude<Operand, { readonly none: true }>): GPUBufferBinding;
  /** Values of the pass's parameters at a binding. */
  params(pass: Pass, binding: ShaderBinding): GPUBuffer;
}

export function bindPass(
  runtime: Runtime,
  pass: Pass,
  pipeline: GPUComputePipeline,
  resources: Resources,
  label = pass.shader.name,
): Dispatch {
  const entries = pass.shader.bindings.map((described) => {
    const { name, binding, access } = described;
    if (access === "uniform") return { binding, resource: { buffer: resources.params(pass, described) } };
    const bound = pass.bind[name];
    if (!bound) throw new Error(`${pass.shader.name}: binding ${name} was not given`);
    const resource = "none" in bound ? { buffer: runtime.zeroBuffer() } : resources.of(bound);
    return { binding, resource };
  });
  const layout = runtime.pipelines.bindGroupLayout(pass.shader);
  const group = runtime.device.createBindGroup({ label, layout, entries });
  const { workgroups, indirect } = pass;
  if (!indirect) return { label, pipeline, group, workgroups };
  const { buffer, offset = 0 } = resources.of(indirect.sizes);
  return { label, pipeline, group, workgroups, indirect: { buffer, offset: offset + indirect.offset } };
}

export function encodeDispatch(
  encoding: GPUComputePassEncoder,
  { pipeline, group, workgroups, indirect }: Dispatch,
): void {
  encoding.setPipeline(pipeline);
  encoding.setBindGroup(0, group);
  if (indirect) encoding.dispatchWorkgroupsIndirect(indirect.buffer, indirect.offset);
  else encoding.dispatchWorkgroups(...workgroups);
}

/** Kernels spread a large range over two dimensions of workgroups; what passes even that is too large for the device. */
export function checkWorkgroups(
  { maxComputeWorkgroupsPerDimension: most }: GPUSupportedLimits,
  { shader, workgroups }: Pass,
): void {
  if (workgroups.every((count) => count <= most)) return;
  throw new OutOfMemoryError(
    `${shader.name} would need ${workgroups.join(" x ")} workgroups, this device allows ${most} a dimension: use a smaller image, batch or --working-size`,
  );
}

/** Bindings and copies come in fours of bytes. */
export const alignBytes = (bytes: number): number => Math.max(4, Math.ceil(bytes / 4) * 4);
