import type { NormAttrs } from "../normalization/forward.js";
import { normForwardOracle } from "../normalization/reference.js";
import { type Draw, defineSuite, type Fill, given, type OpCase } from "../suite.js";
import { batchNormTrainOp } from "./op.js";

type Size = readonly [n: number, h: number, w: number, c: number];

/** A mean far above the deviation. */
const FAR: Fill = (unit) => 99 + 2 * unit;

function row(
  size: Size,
  attrs: NormAttrs = {},
  { far = false, timed = false }: { readonly far?: boolean; readonly timed?: boolean } = {},
): OpCase<NormAttrs> {
  const c = size[3];
  return {
    name: `${size.join("x")}${attrs.activation ? `_${attrs.activation}` : ""}${far ? "_far" : ""}`,
    shapes: [size, [c], [c]],
    attrs,
    fill: [far ? FAR : "signed", "signed", "signed"],
    timed,
  };
}

const LEAKY = { activation: "leaky_relu", slope: 0.2 } as const;
const ELU = { activation: "elu" } as const;

/** At least two values a channel. */
export function drawBatch(draw: Draw): Size {
  const c = draw(0, 1) === 0 ? 4 * draw(1, 6) : draw(1, 19);
  return [draw(1, 3), draw(1, 9), draw(2, 9), c];
}

/** The batch norms of S2AD with 16 base channels at 128 x 128, batch 4. */
export const TRAINED_SIZES: readonly Size[] = [
  [4, 64, 64, 64],
  [4, 32, 32, 128],
  [4, 16, 16, 256],
  [4, 4, 4, 128],
];

export const batchNormTrainSuite = defineSuite<NormAttrs>({
  op: batchNormTrainOp,
  oracle: (inputs, attrs) =>
    normForwardOracle(given(inputs, 0), { weight: given(inputs, 1), bias: given(inputs, 2) }, "batch", attrs),
  cases: [
    row([2, 3, 5, 7], { eps: 1e-3 }),
    row([1, 4, 6, 16], ELU),
    row([2, 1, 1, 12], LEAKY),
    row([3, 5, 4, 8], LEAKY),
    row([2, 7, 9, 5], { activation: "relu" }),
    row([1, 8, 8, 4], {}, { far: true }),
    row([2, 16, 128, 4], ELU, { far: true }),
    ...TRAINED_SIZES.map((size) => row(size, ELU, { timed: true })),
  ],
  random: (draw) => row(drawBatch(draw), draw(0, 1) === 0 ? LEAKY : {}, { far: draw(0, 2) === 0 }),
});
