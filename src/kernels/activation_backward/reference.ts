/** The float64 oracle of the activations' derivatives. */
import type { ActivationAttrs } from "../activation.js";

/** f'(x) as a function of y = f(x). */
export function activationDerivative(y: number, { activation = "none", slope = 0 }: ActivationAttrs): number {
  if (activation === "none" || (y > 0 && ["relu", "leaky_relu", "elu"].includes(activation))) return 1;
  if (activation === "sigmoid") return y * (1 - y);
  if (activation === "tanh") return 1 - y * y;
  return activation === "relu" ? 0 : activation === "elu" ? y + 1 : slope;
}
