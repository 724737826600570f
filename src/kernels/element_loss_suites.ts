/** Oracles and cases of the losses of element_loss.ts. */
import { type Shape, sizeOf } from "../graph/tensor.js";
import type { ElementLoss } from "./element_loss.js";
import {
  type AnySuite,
  at,
  type Draw,
  defineSuite,
  type Fill,
  given,
  type HostArray,
  type OpCase,
  oracleOf,
} from "./suite.js";

export interface ElementLossOracle<Attrs> {
  /** The loss of an element, or its derivative by y, with the sum of the absolute values of its terms. */
  readonly value: (y: number, target: number) => readonly [value: number, magnitude: number];
  readonly slope: (y: number, target: number) => readonly [value: number, magnitude: number];
  readonly label?: (attrs: Attrs) => number;
  readonly draw: (draw: Draw) => Attrs;
  readonly fill?: Fill;
  /** Error of one element beside its roundings, e.g. of a logarithm. */
  readonly extra?: number;
  readonly gradient?: AnySuite["gradient"];
}

const SHAPES: readonly Shape[] = [
  [1, 1, 1, 1],
  [2, 3, 5, 7],
  [1, 8, 8, 3],
  [3, 10],
];

/** The suites of the loss and of its gradient. */
export function elementLossSuites<Attrs>(
  { op, backwardOp }: ElementLoss<Attrs>,
  options: ElementLossOracle<Attrs>,
): readonly [AnySuite, AnySuite] {
  const { value, slope, label, fill = "signed", extra = 0, gradient } = options;
  const rowOf =
    (backward: boolean) =>
    (shape: Shape, attrs: Attrs, timed = false): OpCase<Attrs> => {
      const operands = [shape, label ? null : shape];
      const shapes = backward ? [...operands, [1]] : operands;
      const name = [shape.join("x"), ...Object.entries(attrs as object).map(([key, entry]) => `${key}=${entry}`)].join(
        "_",
      );
      return { name, shapes, attrs, timed, fill: [fill, fill, "signed"] };
    };
  const terms = (inputs: readonly (HostArray | null)[], attrs: Attrs) => {
    const [y, target] = [given(inputs, 0), inputs[1]];
    const goal = (i: number): number => (target ? at(target.data, i) : (label?.(attrs) ?? 0));
    return { y, size: sizeOf(y.shape), of: (f: typeof value, i: number) => f(at(y.data, i), goal(i)) };
  };
  const table = (row: ReturnType<typeof rowOf>) => {
    // A fixed stream of draws, so that each kind of attributes occurs.
    let turn = 0;
    const next: Draw = (min, max) => min + (turn++ % (max - min + 1));
    return [...SHAPES.map((shape) => row(shape, options.draw(next))), row([4, 256, 256, 3], options.draw(next), true)];
  };
  const random = (row: ReturnType<typeof rowOf>) => (draw: Draw) =>
    row([draw(1, 3), draw(1, 9), draw(1, 9), draw(1, 7)], options.draw(draw));
  const [forward, backward] = [rowOf(false), rowOf(true)];
  return [
    defineSuite<Attrs>({
      op,
      oracle(inputs, attrs) {
        const { size, of } = terms(inputs, attrs);
        const mean = (): readonly [number, number] => {
          let [sum, magnitude] = [0, 0];
          for (let i = 0; i < size; i++) {
            const [term, absolute] = of(value, i);
            sum += term;
            magnitude += absolute;
          }
          return [sum / size, magnitude / size];
        };
        return [oracleOf([1], size + 4, mean, extra)];
      },
      cases: table(forward),
      random: random(forward),
      ...(gradient && { gradient }),
    }),
    defineSuite<Attrs>({
      op: backwardOp,
      oracle(inputs, attrs) {
        const { y, size, of } = terms(inputs, attrs);
        const dloss = at(given(inputs, 2).data, 0);
        const element = (i: number): readonly [number, number] => {
          const [term, absolute] = of(slope, i);
          return [(dloss * term) / size, (Math.abs(dloss) * absolute) / size];
        };
        return [oracleOf(y.shape, 4, element)];
      },
      cases: table(backward),
      random: random(backward),
    }),
  ];
}
