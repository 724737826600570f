import type { NormAttrs } from "../normalization/forward.js";
import { normForwardOracle } from "../normalization/reference.js";
import { type Draw, defineSuite, type Fill, given, type OpCase } from "../suite.js";
import { instanceNormOp } from "./op.js";

type Size = readonly [n: number, h: number, w: number, c: number];

/** A mean far above the deviation. */
const FAR: Fill = (unit) => 99 + 2 * unit;
const LEAKY = { activation: "leaky_relu", slope: 0.2 } as const;

const row = (
  size: Size,
  attrs: NormAttrs = {},
  { far = false, timed = false }: { readonly far?: boolean; readonly timed?: boolean } = {},
): OpCase<NormAttrs> => ({
  name: `${size.join("x")}${attrs.activation ? `_${attrs.activation}` : ""}${far ? "_far" : ""}`,
  shapes: [size],
  attrs,
  fill: [far ? FAR : "signed"],
  timed,
});

/** At least two values a channel of an image. */
export const drawImages = (draw: Draw): Size => [
  draw(1, 3),
  draw(1, 9),
  draw(2, 9),
  draw(0, 1) === 0 ? 4 * draw(1, 6) : draw(1, 19),
];

export const instanceNormSuite = defineSuite<NormAttrs>({
  op: instanceNormOp,
  oracle: (inputs, attrs) => normForwardOracle(given(inputs, 0), null, "image", attrs),
  cases: [
    row([2, 3, 5, 7], { eps: 1e-3 }),
    row([3, 4, 6, 8], LEAKY),
    row([1, 1, 2, 12], LEAKY),
    row([2, 8, 8, 4], {}, { far: true }),
    row([4, 32, 32, 128], LEAKY, { timed: true }),
  ],
  random: (draw) => row(drawImages(draw), draw(0, 1) === 0 ? LEAKY : {}, { far: draw(0, 2) === 0 }),
});
