/** An ONNX model as plain data: the part of onnx.proto that networks of convolutions need. */

/** The operator set that the nodes are of. 17 is read by every runtime since 2022, ONNX Runtime 1.12 among them. */
export const OPSET = 17;
/** The version of the file format that came with it. */
export const IR_VERSION = 8;

export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly string: string };

export interface OnnxNode {
  /** `Conv`, `Relu`, ...: of the default domain. */
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** A constant: float32 of any shape, its values asked for when they are written; or a list of int64. */
export type OnnxInitializer =
  | { readonly name: string; readonly shape: readonly number[]; readonly load: () => Float32Array }
  | { readonly name: string; readonly ints: readonly number[] };

/** A float32 tensor that goes in or comes out; a name in place of a length is an axis that each run may choose. */
export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly doc: string;
}

export interface OnnxModel {
  readonly producer: string;
  readonly producerVersion: string;
  readonly name: string;
  readonly doc: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxInitializer[];
  readonly nodes: readonly OnnxNode[];
}

/** Collects nodes and constants in the order they are made, which is one in which they can run. */
export class OnnxGraph {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  private readonly names = new Set<string>();

  /** @returns the name of the node's output, which is the node's own unless `output` is given */
  node(
    op: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, OnnxAttribute>> = {},
    output = name,
  ): string {
    this.claim(output);
    this.nodes.push({ op, name, inputs, outputs: [output], attributes });
    return output;
  }

  /** Float32 values, row-major. @returns the constant's name */
  tensor(name: string, shape: readonly number[], load: () => Float32Array): string {
    this.claim(name);
    this.initializers.push({ name, shape, load });
    return name;
  }

  /** A list of int64. @returns the constant's name */
  ints(name: string, ints: readonly number[]): string {
    this.claim(name);
    this.initializers.push({ name, ints });
    return name;
  }

  private claim(name: string): void {
    if (this.names.has(name)) throw new Error(`onnx: two values are called ${name}`);
    this.names.add(name);
  }
}
