/** The part of TensorFlow.js that the bench uses. The package is no dependency of the project, nor are its types. */
export interface Tensor {
  readonly shape: number[];
  data(): Promise<Float32Array>;
  dispose(): void;
}

export type Padding = "same" | "valid";
type Shape = readonly number[];

export interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  ready(): Promise<void>;
  tidy<T>(work: () => T): T;
  tensor(values: Float32Array, shape: Shape): Tensor;
  scalar(value: number): Tensor;
  variable(initial: Tensor, trainable: boolean, name: string): Tensor;
  add(a: Tensor, b: Tensor): Tensor;
  sub(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor): Tensor;
  matMul(a: Tensor, b: Tensor): Tensor;
  relu(x: Tensor): Tensor;
  leakyRelu(x: Tensor, slope: number): Tensor;
  elu(x: Tensor): Tensor;
  sigmoid(x: Tensor): Tensor;
  round(x: Tensor): Tensor;
  square(x: Tensor): Tensor;
  mean(x: Tensor, axes?: Shape): Tensor;
  max(x: Tensor, axes: Shape): Tensor;
  concat(tensors: readonly Tensor[], axis: number): Tensor;
  reshape(x: Tensor, shape: Shape): Tensor;
  slice(x: Tensor, begin: Shape, size: Shape): Tensor;
  avgPool(x: Tensor, size: number, stride: number, padding: Padding): Tensor;
  mirrorPad(x: Tensor, paddings: readonly Shape[], mode: "reflect"): Tensor;
  moments(x: Tensor, axes: Shape): { mean: Tensor; variance: Tensor };
  batchNorm(x: Tensor, mean: Tensor, variance: Tensor, offset: Tensor, scale: Tensor, eps: number): Tensor;
  conv2d(x: Tensor, filter: Tensor, stride: number, padding: Padding): Tensor;
  conv2dTranspose(x: Tensor, filter: Tensor, shape: Shape, stride: number, padding: Padding): Tensor;
  readonly fused: {
    conv2d(options: {
      x: Tensor;
      filter: Tensor;
      strides: number;
      pad: Padding;
      bias: Tensor;
      activation: "linear" | "elu" | "leakyrelu";
      leakyreluAlpha?: number;
    }): Tensor;
  };
  readonly train: {
    adam(
      rate: number,
      beta1: number,
      beta2: number,
      eps: number,
    ): { minimize(loss: () => Tensor, returnCost: true): Tensor | null };
  };
}
