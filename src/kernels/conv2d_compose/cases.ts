import { orderFrom } from "../conv2d/cases.js";
import { FUSED } from "../conv2d/fused.js";
import { type Conv2dAttrs, inferConv2d } from "../conv2d/op.js";
import { conv2dOracle, tileOf } from "../conv2d/reference.js";
import { at, defineSuite, type Fill, given, type OpCase, oracleOf } from "../suite.js";
import { tileCount } from "../tile_order/op.js";
import { conv2dComposeOp } from "./op.js";

/** Rows named [N]x[H]x[W]x[C_in]-[C_out]_k[kernel]s[stride]p[padding]. */
function row(
  [n, h, w, cIn, cOut]: readonly [number, number, number, number, number],
  [k, stride, padding]: readonly [number, number, number],
  { timed = false, needed, ...rest }: Partial<Conv2dAttrs> & { timed?: boolean; needed?: number | undefined } = {},
): OpCase<Conv2dAttrs> {
  const attrs = { stride, padding, ...rest };
  const y = inferConv2d([n, h, w, cIn], [k, k, cIn, cOut], null, attrs);
  const order = needed === undefined ? null : orderFrom(y, needed);
  const [, oh = 0, ow = 0] = y;
  const { size } = tileCount(y);
  /** 0 in the tiles that are left out. */
  const mask: Fill = (unit, index) => {
    const place = [Math.floor(index / (oh * ow)), Math.floor(index / ow) % oh, index % ow] as const;
    return tileOf(place, [oh, ow]) >= size - (needed ?? size) ? unit : 0;
  };
  return {
    name: `${n}x${h}x${w}x${cIn}-${cOut}_k${k}s${stride}p${padding}${attrs.activation ? `_${attrs.activation}` : ""}${order ? `_tiles${needed}` : ""}`,
    shapes: [
      [n, h, w, cIn],
      [k, k, cIn, cOut],
      [cOut],
      null,
      null,
      y,
      [n, 2 * cOut],
      [...y.slice(0, 3), 1],
      ...(order ? [null, order.shape] : []),
    ],
    attrs,
    fill: [
      ...Array.from({ length: FUSED.gates }, (): Fill => "signed"),
      "unit",
      mask,
      ...(order ? (["unit", order.fill] as const) : []),
    ],
    timed,
  };
}

const K3 = [3, 1, 1] as const;
const elu = { activation: "elu" } as const;

export const conv2dComposeSuite = defineSuite<Conv2dAttrs>({
  op: conv2dComposeOp,
  oracle(inputs, attrs) {
    const [features, gates, mask] = [FUSED.features, FUSED.gates, FUSED.mask].map((i) => given(inputs, i).data);
    return conv2dOracle(inputs.slice(0, 3), attrs).map(({ shape, terms, element, extra }) => {
      const [, h = 0, w = 0, c = 0] = shape;
      const composed = (i: number): readonly [number, number] => {
        const [learned, magnitude] = element(i);
        const inside = at(mask ?? [], Math.floor(i / c));
        const gate = Math.floor(i / (h * w * c)) * 2 * c + (i % c);
        const mixed = at(features ?? [], i) * at(gates ?? [], gate);
        const background = at(features ?? [], i) * at(gates ?? [], gate + c);
        return [
          inside * (learned + mixed) + (1 - inside) * background,
          inside * (magnitude + Math.abs(mixed)) + (1 - inside) * Math.abs(background),
        ];
      };
      return oracleOf(shape, terms + 3, composed, extra);
    });
  },
  cases: [
    row([1, 1, 1, 1, 1], [1, 1, 0]),
    row([1, 8, 8, 16, 8], K3, elu),
    row([2, 9, 7, 5, 3], K3, elu),
    row([2, 13, 10, 40, 24], K3, elu),
    row([2, 6, 5, 4, 8], [1, 1, 0], elu),
    row([1, 7, 6, 4, 12], [3, 2, 1], { activation: "relu" }),
    row([1, 9, 10, 8, 12], K3, { ...elu, needed: 0 }),
    row([2, 13, 18, 12, 24], K3, { ...elu, needed: 11 }),
    row([2, 40, 41, 16, 20], K3, { ...elu, needed: 170 }),
    row([1, 128, 128, 256, 128], K3, { ...elu, timed: true }),
    row([1, 128, 128, 256, 128], K3, { ...elu, timed: true, needed: 200 }),
    row([1, 64, 64, 512, 256], K3, { ...elu, timed: true }),
    row([1, 32, 32, 1024, 512], K3, { ...elu, timed: true }),
  ],
  f16: [
    { name: "f16", inputs: [0, 1, FUSED.features] },
    { name: "f16_to_f32", inputs: [0, 1], attrs: { dtype: "f32" } },
  ],
  random(draw) {
    const [k, stride] = [draw(1, 4), draw(1, 2)];
    const size = () => k + draw(0, 12);
    const cIn = draw(0, 1) === 0 ? 4 * draw(1, 6) : draw(1, 19);
    const cOut = draw(0, 1) === 0 ? 4 * draw(1, 9) : draw(1, 37);
    return row([draw(1, 2), size(), size(), cIn, cOut], [k, stride, draw(0, Math.floor(k / 2))], {
      ...elu,
      needed: draw(0, 2) === 0 ? draw(0, 20) : undefined,
    });
  },
});
