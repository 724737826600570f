/** The buffers of a plan that are filled when it is compiled: constants and the parameters of its passes. */
import { GPU_COPY_DST, GPU_UNIFORM } from "../gpu/memory.js";
import { scoped } from "../gpu/scopes.js";
import type { ShaderBinding } from "../gpu/shader.js";
import { encodeDispatch } from "./dispatch.js";
import { encode } from "./elements.js";
import type { Layout } from "./layout.js";
import { type NodePlan, type Pass, type Scratch, scratchOf, viewsOf } from "./op.js";
import type { Dispatch } from "./plan.js";
import type { Runtime } from "./runtime.js";
import { type ConstantSource, type GraphNode, sizeOf, type Tensor } from "./tensor.js";

/** A struct of parameters a uniform binding; equal contents share a buffer. */
export class UniformBuffers {
  private readonly buffers = new Map<string, GPUBuffer>();

  constructor(
    private readonly runtime: Runtime,
    private readonly release: (() => void)[],
  ) {}

  of({ shader, params }: Pass, { fields }: ShaderBinding): GPUBuffer {
    const bytes = Math.ceil((fields.length * 4) / 16) * 16;
    const view = new DataView(new ArrayBuffer(bytes));
    fields.forEach(({ name, type }, i) => {
      const value = params[name];
      if (value === undefined) throw new Error(`${shader.name}: parameter ${name} was not given`);
      if (type === "f32") view.setFloat32(4 * i, value, true);
      else view.setInt32(4 * i, value, true);
    });
    const key = new Uint32Array(view.buffer).join();
    let buffer = this.buffers.get(key);
    if (!buffer) {
      const allocation = this.runtime.memory.create(`${shader.name} params`, bytes, GPU_UNIFORM | GPU_COPY_DST);
      this.release.push(() => allocation.destroy());
      buffer = allocation.buffer;
      this.buffers.set(key, buffer);
      this.runtime.device.queue.writeBuffer(buffer, 0, view.buffer);
    }
    return buffer;
  }
}

export type Bind = (pass: Pass, label: string) => Dispatch;

/** Uploads constants when they are first bound and keeps only what a run reads: raw, or repacked by `prepare` passes. */
export class ConstantBuffers {
  readonly scratch = new Map<Scratch, GPUBuffer>();
  bytes = 0;
  private readonly held = new Map<number, { buffer: GPUBuffer; bytes: number; release: () => void }>();

  constructor(
    private readonly runtime: Runtime,
    private readonly layout: Layout,
    private readonly release: (() => void)[],
  ) {}

  raw(storageId: number): GPUBuffer {
    const held = this.held.get(storageId);
    if (held) return held.buffer;
    const storage = this.layout.storages[storageId];
    const tensor = storage?.source;
    const source = tensor?.source;
    if (!storage || source?.kind !== "constant") throw new Error(`compile: storage ${storageId} is not a constant`);
    const { shape, dtype } = tensor as Tensor;
    const form = dtype === "f32" ? "" : dtype;
    const { buffer, fresh, release } = this.runtime.shareConstant(source.constant, form, storage.bytes);
    this.release.push(release);
    this.held.set(storageId, { buffer, bytes: storage.bytes, release });
    this.bytes += storage.bytes;
    if (fresh) {
      const values = source.constant.load();
      if (values.length !== sizeOf(shape)) {
        throw new Error(
          `constant ${source.constant.name}: its shape needs ${sizeOf(shape)} elements, it has ${values.length}`,
        );
      }
      this.runtime.device.queue.writeBuffer(buffer, 0, encode(source.constant.name, values, dtype));
    }
    return buffer;
  }

  async prepare(node: GraphNode, plan: NodePlan, bind: Bind): Promise<void> {
    const { device } = this.runtime;
    const passes = plan.prepare ?? [];
    const constants = node.inputs.filter((tensor) => tensor?.source.kind === "constant");
    const first = constants[0]?.source;
    if (first?.kind !== "constant") throw new Error(`${node.op.name}: prepare passes need a constant`);
    await scoped(device, `repacking ${first.constant.name}`, () => {
      if (!this.share(first.constant, passes)) return;
      const encoder = device.createCommandEncoder();
      const encoding = encoder.beginComputePass();
      for (const pass of passes) encodeDispatch(encoding, bind(pass, pass.shader.name));
      encoding.end();
      device.queue.submit([encoder.finish()]);
    });
    this.releaseUnused([], node); // what a run still reads is uploaded again when it is bound
  }

  /** Takes the scratch that `passes` repack `constant` into. @returns whether it must still be filled */
  private share(constant: ConstantSource, passes: readonly Pass[]): boolean {
    let fresh = false;
    for (const piece of new Set(passes.flatMap(scratchOf))) {
      const form = `${piece.scratch} ${passes.map(({ shader, overrides, consts, types, params }) => shader.name + JSON.stringify([overrides, consts, types, params])).join()}`;
      const shared = this.runtime.shareConstant(constant, form, piece.bytes);
      this.release.push(shared.release);
      this.scratch.set(piece, shared.buffer);
      this.bytes += piece.bytes;
      fresh ||= shared.fresh;
    }
    return fresh;
  }

  /** Frees constants that no pass of the run binds; with a node, only that node's. */
  releaseUnused(passes: readonly Pass[], node?: GraphNode): void {
    const used = new Set(passes.flatMap((pass) => viewsOf(pass).map(({ storage }) => storage)));
    const candidates = node
      ? node.inputs
          .filter((tensor) => tensor?.source.kind === "constant")
          .map((tensor) => this.layout.view(tensor as Tensor).storage)
      : [...this.held.keys()];
    for (const id of candidates) {
      const held = this.held.get(id);
      if (!held || used.has(id)) continue;
      held.release();
      this.bytes -= held.bytes;
      this.held.delete(id);
    }
  }
}
