/** Activations, as an op of their own and as the epilogue of others. Codes match shaders/lib/activation.wgsl. */
export type Activation = "none" | "relu" | "leaky_relu" | "elu" | "sigmoid" | "tanh";

export interface ActivationAttrs {
  readonly activation?: Activation;
  /** Of the leaky ReLU below zero; PyTorch's and the paper's networks use 0.2. */
  readonly slope?: number;
}

const CODES: Readonly<Record<Activation, number>> = { none: 0, relu: 1, leaky_relu: 2, elu: 3, sigmoid: 4, tanh: 5 };

export const activationOverrides = ({ activation = "none", slope = 0 }: ActivationAttrs) => ({
  ACTIVATION: CODES[activation],
  SLOPE: slope,
});

/** For shaders that use lib/epilogue.wgsl. */
export const activationParams = ({ activation = "none", slope = 0 }: ActivationAttrs) => ({
  activation: CODES[activation],
  slope: activation === "leaky_relu" ? slope : 0,
});

/** The float64 oracle. */
export function activate(v: number, { activation = "none", slope = 0 }: ActivationAttrs): number {
  switch (activation) {
    case "none":
      return v;
    case "relu":
      return Math.max(v, 0);
    case "leaky_relu":
      return v > 0 ? v : slope * v;
    case "elu":
      return v > 0 ? v : Math.expm1(v);
    case "sigmoid":
      return 1 / (1 + Math.exp(-v));
    case "tanh":
      return Math.tanh(v);
  }
}

/**
 * What the function itself may add to the error of its argument (all have a slope of at most 1). Vulkan allows exp
 * 3 + 2|x| ulp; after the subtraction or division that is below 16 ulp of 1.
 */
export const activationError = ({ activation = "none" }: ActivationAttrs): number =>
  activation === "elu" || activation === "sigmoid" || activation === "tanh" ? 16 * 2 ** -24 : 0;
