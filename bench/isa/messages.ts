/** What the process on the card that is not there tells the one that started it. */
import type { Workload } from "./workload.js";

/** One compiled kernel; its listing and statistics come between marks on stderr. */
export interface CompiledKernel {
  readonly id: number;
  readonly shader: string;
  /** Constants by name, and element types: what a specialization fixes. */
  readonly constants: Readonly<Record<string, number | string>>;
}

/** One dispatch of a run or a training step. */
export interface UsedKernel {
  /** Of its kernel. */
  readonly id: number;
  readonly op: string;
  readonly variant: string;
  readonly node: string;
  readonly nodeId: number;
  readonly workgroups: number;
  /** Null where the workgroup's size cannot be read off the shader. */
  readonly invocations: number | null;
  /** Of the node by the plain algorithm, on its last pass; 0 on the others. */
  readonly flops: number;
  /** That the pass binds. */
  readonly bytes: number;
  /** Of these, of operands that never change from run to run. */
  readonly constantBytes: number;
  /** Of one thread, padding of tiles counted in; null where it cannot be told from the pass's parameters. */
  readonly multiplyAdds: number | null;
  /** That the node must move at the least, on its last pass; 0 on the others. */
  readonly minBytes: number;
}

export type FromChild =
  | {
      readonly kind: "done";
      /** As the driver names itself: "AMD Radeon RX 7900 (RADV NAVI31)". */
      readonly adapter: string;
      /** "radv Mesa 25.0.7" */
      readonly driver: string;
      /** As read off the weights, where those were given. */
      readonly workload: Workload;
      readonly kernels: readonly CompiledKernel[];
      readonly used: readonly UsedKernel[];
    }
  | { readonly kind: "failed"; readonly code: string | null; readonly message: string };

export const begin = (id: number): string => `##BEGIN ${id}\n`;
export const end = (id: number): string => `##END ${id}\n`;
