/** How the region of a composite is restyled: drawn at random, written to the manifest, and followed. */
import { type Adjustment, adjust } from "./adjust.js";
import type { Draws } from "./random_draws.js";
import type { Style } from "./spec.js";
import { TRANSFERS, type Transfer, transferColours } from "./transfer.js";
import { drawFamily, drawGraded, type Family } from "./varied.js";

export interface Recipe {
  /** Colours of another photograph are taken over first. */
  readonly transfer: Transfer | null;
  /** Of the transfer: 1 is all of it. */
  readonly amount: number;
  readonly adjustments: readonly Adjustment[];
  /** Of the style `varied`: the kind of change. */
  readonly family?: Family;
  /** Of the whole change, transfer and adjustments: 1, which is all of it, where nothing is said. */
  readonly strength?: number;
}

const GRAINY: ReadonlySet<Transfer> = new Set(["fecker", "pitie"]);

/** Shares of HCOCO's way among composites of the style `mixed`. */
const TRANSFER_SHARE = 0.4;
const LEAST_AMOUNT = 0.5;

const ADJUSTMENTS: readonly ((draws: Draws) => Adjustment)[] = [
  (draws) => ({ kind: "exposure", stops: sign(draws) * draws.between(0.15, 1.3) }),
  (draws) => ({ kind: "white balance", temperature: draws.between(-1.1, 1.1), tint: draws.between(-0.35, 0.35) }),
  (draws) => ({ kind: "brightness", factor: draws.scale(0.6, 1.5) }),
  (draws) => ({ kind: "contrast", factor: draws.scale(0.6, 1.6), pivot: draws.between(0.35, 0.65) }),
  (draws) => ({ kind: "gamma", exponent: draws.scale(0.6, 1.7) }),
  (draws) => ({ kind: "saturation", factor: draws.scale(0.4, 1.9) }),
  (draws) => ({ kind: "curve", values: [randomCurve(draws, 0.12)] }),
  (draws) => ({ kind: "curve", values: [0, 1, 2].map(() => randomCurve(draws, 0.09)) }),
];
const MOST_ADJUSTMENTS = 4;

/** The paper's last step: brightness, colour and contrast of the transformed region. */
const ENHANCEMENTS: readonly ((draws: Draws) => Adjustment)[] = [
  (draws) => ({ kind: "brightness", factor: draws.between(0.7, 1.35) }),
  (draws) => ({ kind: "saturation", factor: draws.between(0.5, 1.6) }),
  (draws) => ({ kind: "contrast", factor: draws.between(0.7, 1.4), pivot: 0.5 }),
];

const sign = (draws: Draws): number => (draws.chance(0.5) ? 1 : -1);

const randomCurve = (draws: Draws, reach: number): readonly [number, number, number] => {
  const value = (middle: number): number => middle + draws.between(-reach, reach);
  return [value(0.25), value(0.5), value(0.75)];
};

/** Of the style `varied`: how many changes of the whole kinds are taken as they are, and the least share of the others. */
const WHOLE_SHARE = 0.75;
const LEAST_STRENGTH = 0.05;

/**
 * @param canTransfer whether there is another photograph to take colours from
 * @param family of the style `varied`; drawn where it is null
 */
export function drawRecipe(style: Style, canTransfer: boolean, draws: Draws, family: Family | null = null): Recipe {
  if (style !== "varied") return drawWhole(style, canTransfer, draws);
  const kind = family ?? drawFamily(draws);
  if (kind === "s-coco" || kind === "hcoco") {
    const strength = draws.chance(WHOLE_SHARE) ? 1 : draws.between(LEAST_STRENGTH, 1);
    return { ...drawWhole(kind, canTransfer, draws), family: kind, strength };
  }
  return { transfer: null, amount: 1, adjustments: drawGraded(kind, draws), family: kind };
}

function drawWhole(style: Style, canTransfer: boolean, draws: Draws): Recipe {
  const wantsTransfer = style === "hcoco" || (style === "mixed" && draws.chance(TRANSFER_SHARE));
  if (wantsTransfer && canTransfer) {
    const transfer = draws.one(TRANSFERS);
    const amount = draws.between(LEAST_AMOUNT, 1);
    return { transfer, amount, adjustments: draws.chance(0.5) ? drawSome(ADJUSTMENTS, 1 + draws.index(2), draws) : [] };
  }
  // A look, as a trained editor's would be, by one to four adjustments; then what the paper does to every region.
  const look = drawSome(ADJUSTMENTS, 1 + draws.index(MOST_ADJUSTMENTS), draws);
  const enhances = style === "s-coco" || draws.chance(0.3);
  return {
    transfer: null,
    amount: 1,
    adjustments: enhances ? [...look, ...ENHANCEMENTS.map((draw) => draw(draws))] : look,
  };
}

/** So many different ones, in random order. */
function drawSome(from: readonly ((draws: Draws) => Adjustment)[], count: number, draws: Draws): Adjustment[] {
  const left = [...from];
  const drawn: Adjustment[] = [];
  while (drawn.length < count && left.length > 0) {
    const [draw] = left.splice(draws.index(left.length), 1);
    if (draw) drawn.push(draw(draws));
  }
  return drawn;
}

/**
 * @param pixels of the region, interleaved RGB, 0 to 255
 * @param reference of another photograph, likewise; null where there is none
 * @param smooth evens out a change of the pixels among neighbours: histograms are matched bin by bin, which makes grain
 * @returns the restyled pixels, 0 to 255 and not rounded
 */
export function restyle(
  pixels: Float32Array,
  { transfer, amount, adjustments, strength = 1 }: Recipe,
  reference: Float32Array | null,
  draws: Draws,
  smooth: (change: Float32Array) => Float32Array,
): Float32Array {
  let out = pixels;
  if (transfer && reference) {
    const all = transferColours(transfer, pixels, reference, draws);
    const change = all.map((value, p) => amount * (value - (pixels[p] as number)));
    const even = GRAINY.has(transfer) ? smooth(change) : change;
    out = pixels.map((value, p) => Math.min(255, Math.max(0, value + (even[p] as number))));
  }
  if (adjustments.length > 0) out = adjust(out, adjustments);
  if (strength === 1) return out;
  return out.map((value, p) => strength * value + (1 - strength) * (pixels[p] as number));
}
