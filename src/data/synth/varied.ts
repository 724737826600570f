/**
 * Kinds of change of the style `varied`. The first two are the other styles' own; each of the rest is one thing that cameras,
 * light or editors do, by a strength from none to full, as the greater of two
 * even draws is: drawn evenly, a quarter of the composites came within 44 dB. The shares are of the composites.
 */
import type { Adjustment } from "./adjust.js";
import type { Draws } from "./random_draws.js";

const SHARES = {
  "s-coco": 0.46,
  hcoco: 0.12,
  untouched: 0.06,
  response: 0.07,
  exposure: 0.05,
  cast: 0.05,
  factors: 0.04,
  saturation: 0.02,
  contrast: 0.03,
  curves: 0.04,
  haze: 0.02,
  mixture: 0.04,
} as const;

export type Family = keyof typeof SHARES;
type Graded = Exclude<Family, "s-coco" | "hcoco">;
export const FAMILIES = Object.keys(SHARES) as Family[];

export function drawFamily(draws: Draws): Family {
  let left = draws.uniform();
  for (const family of FAMILIES) {
    left -= SHARES[family];
    if (left < 0) return family;
  }
  return "s-coco";
}

/** @param strength 0 to 1: the greatest change that may be drawn, as a share of the kind's full reach */
type Single = (strength: number, draws: Draws) => readonly Adjustment[];

/** A factor of at most `reach`, either way, on a logarithmic scale. */
const factor = (reach: number, strength: number, draws: Draws): number =>
  Math.exp(strength * Math.log(reach) * draws.between(-1, 1));
const offset = (reach: number, strength: number, draws: Draws): number => strength * reach * draws.between(-1, 1);
const three = <T>(draw: () => T): readonly [T, T, T] => [draw(), draw(), draw()];

const SINGLE: Readonly<Record<Exclude<Graded, "untouched" | "mixture">, Single>> = {
  response: (s, draws) => [
    {
      kind: "response",
      factors: three(() => factor(1.35, s, draws)),
      exponents: three(() => factor(1.6, s, draws)),
    },
  ],
  exposure: (s, draws) => {
    const exposure: Adjustment = { kind: "exposure", stops: offset(1.3, s, draws) };
    return draws.chance(0.5) ? [exposure] : [exposure, { kind: "gamma", exponent: factor(1.7, s, draws) }];
  },
  cast: (s, draws) => {
    const cast: Adjustment = {
      kind: "white balance",
      temperature: offset(1.2, s, draws),
      tint: offset(0.4, s, draws),
    };
    return draws.chance(0.5) ? [cast] : [cast, { kind: "exposure", stops: offset(0.4, s, draws) }];
  },
  factors: (s, draws) => [
    { kind: "brightness", factor: factor(1.6, s, draws) },
    { kind: "saturation", factor: factor(1.8, s, draws) },
    { kind: "contrast", factor: factor(1.6, s, draws), pivot: 0.5 },
  ],
  saturation: (s, draws) => [{ kind: "saturation", factor: factor(2.2, s, draws) }],
  contrast: (s, draws) => [{ kind: "contrast", factor: factor(1.7, s, draws), pivot: draws.between(0.35, 0.65) }],
  curves: (s, draws) => {
    const at = (middle: number): number => middle + offset(0.11, s, draws);
    const curve = (): readonly [number, number, number] => [at(0.25), at(0.5), at(0.75)];
    return [{ kind: "curve", values: draws.chance(0.3) ? [curve()] : three(curve) }];
  },
  haze: (s, draws) => {
    const gray = draws.between(0.6, 0.95);
    return [
      { kind: "haze", share: s * draws.between(-0.25, 0.45), light: three(() => gray + draws.between(-0.05, 0.05)) },
    ];
  },
};

const SINGLES = Object.values(SINGLE);

/** A change of this kind, of a strength that is drawn; none for `untouched`. */
export function drawGraded(family: Graded, draws: Draws): readonly Adjustment[] {
  if (family === "untouched") return [];
  const strength = Math.sqrt(draws.uniform());
  if (family !== "mixture") return SINGLE[family](strength, draws);
  const left = [...SINGLES];
  return Array.from({ length: 2 + draws.index(2) }, () => {
    const [draw] = left.splice(draws.index(left.length), 1);
    return draw ? draw(strength * draws.between(0.4, 0.9), draws) : [];
  }).flat();
}
