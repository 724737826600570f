/**
 * Masks that follow what is in the photograph: it is cut into segments of like colour (Felzenszwalb and Huttenlocher 2004),
 * and from a random one on neighbours are joined until the area is large enough. Random outlines cut through things, and
 * betray themselves by edges that no real cut-out has.
 */
import type { Draws } from "./random_draws.js";

/** How much larger a difference may be than those inside a segment, over the segment's pixels. */
const LEAST_SCALE = 200;
const MOST_SCALE = 1500;
/** Segments that are smaller, as a share of the picture, join a neighbour. */
const LEAST_SEGMENT = 1 / 300;
/** Of the area that encloses them: what larger segments are is another thing. */
const MOST_ENCLOSED = 0.1;
/** Half the window in which the outline is smoothed by majority. */
const SMOOTHING = 3;

/**
 * @param pixels interleaved RGB, 8 bits, `size` x `size`
 * @returns 0 or 255 a pixel
 */
export function randomRegion(pixels: Uint8Array, size: number, share: number, draws: Draws): Uint8Array {
  const labels = segment(pixels, size, draws.scale(LEAST_SCALE, MOST_SCALE));
  const start = labels[
    Math.floor(size * draws.between(0.15, 0.85)) * size + Math.floor(size * draws.between(0.15, 0.85))
  ] as number;
  const chosen = grow(segmentsOf(labels, pixels, size), start, share * size * size, draws);
  const mask = new Uint8Array(size * size);
  for (let i = 0; i < mask.length; i++) mask[i] = chosen.has(labels[i] as number) ? 1 : 0;
  return smooth(mask, size);
}

/** The segment of each pixel, named by one of its pixels. */
function segment(pixels: Uint8Array, size: number, scale: number): Int32Array {
  const area = size * size;
  const parent = new Int32Array(area);
  for (let i = 0; i < area; i++) parent[i] = i;
  const count = new Int32Array(area).fill(1);
  const inner = new Float32Array(area); // the largest difference that joined the segment
  const find = (i: number): number => {
    let root = i;
    while (parent[root] !== root) root = parent[root] as number;
    for (let at = i; at !== root; ) {
      const next = parent[at] as number;
      parent[at] = root;
      at = next;
    }
    return root;
  };
  const join = (a: number, b: number, weight: number): void => {
    const aIsLarger = (count[a] as number) >= (count[b] as number);
    const large = aIsLarger ? a : b;
    parent[aIsLarger ? b : a] = large;
    count[large] = (count[a] as number) + (count[b] as number);
    inner[large] = weight;
  };
  const { edges, weights } = sortedEdges(pixels, size);
  const limit = (a: number): number => (inner[a] as number) + scale / (count[a] as number);
  for (const smallOnes of [false, true])
    for (let k = 0; k < edges.length; k++) {
      const edge = edges[k] as number;
      const from = edge >> 1;
      const a = find(from);
      const b = find(from + (edge & 1 ? size : 1));
      if (a === b) continue;
      const weight = weights[edge] as number;
      const joins = smallOnes
        ? Math.min(count[a] as number, count[b] as number) < LEAST_SEGMENT * area
        : weight <= Math.min(limit(a), limit(b));
      if (joins) join(a, b, weight);
    }
  const labels = new Int32Array(area);
  for (let i = 0; i < area; i++) labels[i] = find(i);
  return labels;
}

/**
 * Neighbours to the right and below, by the difference of their colours, the smallest first. An edge's number is twice its
 * pixel's, and one more where it leads down.
 */
function sortedEdges(pixels: Uint8Array, size: number): { readonly edges: Int32Array; readonly weights: Uint16Array } {
  const area = size * size;
  const difference = (a: number, b: number): number =>
    Math.abs((pixels[3 * a] as number) - (pixels[3 * b] as number)) +
    Math.abs((pixels[3 * a + 1] as number) - (pixels[3 * b + 1] as number)) +
    Math.abs((pixels[3 * a + 2] as number) - (pixels[3 * b + 2] as number));
  const weights = new Uint16Array(2 * area).fill(NONE);
  for (let y = 0, i = 0; y < size; y++)
    for (let x = 0; x < size; x++, i++) {
      if (x + 1 < size) weights[2 * i] = difference(i, i + 1);
      if (y + 1 < size) weights[2 * i + 1] = difference(i, i + size);
    }
  const starts = new Int32Array(NONE + 2);
  for (let e = 0; e < weights.length; e++) {
    const place = (weights[e] as number) + 1;
    starts[place] = (starts[place] as number) + 1;
  }
  for (let w = 1; w < starts.length; w++) starts[w] = (starts[w] as number) + (starts[w - 1] as number);
  const edges = new Int32Array(starts[NONE] as number);
  for (let e = 0; e < weights.length; e++) {
    const weight = weights[e] as number;
    if (weight === NONE) continue;
    const place = starts[weight] as number;
    edges[place] = e;
    starts[weight] = place + 1;
  }
  return { edges, weights };
}

/** Above every difference of three 8-bit channels. */
const NONE = 766;

interface Segment {
  pixels: number;
  /** Sums. */
  readonly colour: [number, number, number];
  /** Edges of pixels shared with each neighbour. */
  readonly borders: Map<number, number>;
}

function segmentsOf(labels: Int32Array, pixels: Uint8Array, size: number): ReadonlyMap<number, Segment> {
  const segments = new Map<number, Segment>();
  const of = (label: number): Segment => {
    const known = segments.get(label);
    if (known) return known;
    const made: Segment = { pixels: 0, colour: [0, 0, 0], borders: new Map() };
    segments.set(label, made);
    return made;
  };
  const touch = (a: number, b: number): void => {
    if (a === b) return;
    of(a).borders.set(b, (of(a).borders.get(b) ?? 0) + 1);
    of(b).borders.set(a, (of(b).borders.get(a) ?? 0) + 1);
  };
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    const segment = of(label);
    segment.pixels++;
    for (let c = 0; c < 3; c++) segment.colour[c] = (segment.colour[c] as number) + (pixels[3 * i + c] as number);
    if ((i + 1) % size !== 0) touch(label, labels[i + 1] as number);
    if (i + size < labels.length) touch(label, labels[i + size] as number);
  }
  return segments;
}

/** How far colours may lie apart and still be likely to belong to one thing, on 0 to 255 a channel. */
const LIKENESS = 60;

/**
 * Segments joined to `start` until they cover `area` pixels: those first that share most of their outline with what is
 * there and are like what they touch, with some luck. Small ones that are then enclosed belong to it too.
 */
function grow(segments: ReadonlyMap<number, Segment>, start: number, area: number, draws: Draws): Set<number> {
  const chosen = new Set<number>();
  const shared = new Map<number, { edges: number; nearest: number; luck: number }>();
  let covered = 0;
  const choose = (label: number): void => {
    const segment = segments.get(label) as Segment;
    chosen.add(label);
    shared.delete(label);
    covered += segment.pixels;
    for (const [other, edges] of segment.borders) {
      if (chosen.has(other)) continue;
      const distance = colourDistance(segment, segments.get(other) as Segment);
      const before = shared.get(other);
      if (before) {
        before.edges += edges;
        before.nearest = Math.min(before.nearest, distance);
      } else shared.set(other, { edges, nearest: distance, luck: draws.scale(0.5, 2) });
    }
  };
  choose(start);
  while (covered < area && shared.size > 0) {
    let [best, most] = [-1, -1];
    for (const [label, { edges, nearest, luck }] of shared) {
      const outline = outlineOf(segments.get(label) as Segment);
      const score = luck * (edges / outline) * Math.exp(-nearest / LIKENESS);
      if (score > most) [best, most] = [label, score];
    }
    choose(best);
  }
  for (const [label, { edges }] of [...shared]) {
    const segment = segments.get(label) as Segment;
    if (edges === outlineOf(segment) && segment.pixels <= MOST_ENCLOSED * covered) choose(label);
  }
  return chosen;
}

const outlineOf = ({ borders }: Segment): number => [...borders.values()].reduce((sum, edges) => sum + edges, 0);

function colourDistance(a: Segment, b: Segment): number {
  const of = (c: number): number => (a.colour[c] as number) / a.pixels - (b.colour[c] as number) / b.pixels;
  return Math.hypot(of(0), of(1), of(2)) / Math.sqrt(3);
}

/** Each pixel as most in its window are: no fringes, no holes of a few pixels. @param mask 0 or 1 a pixel */
function smooth(mask: Uint8Array, size: number): Uint8Array {
  const clamp = (i: number): number => Math.min(size - 1, Math.max(0, i));
  const across = new Uint8Array(mask.length);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      let sum = 0;
      for (let k = -SMOOTHING; k <= SMOOTHING; k++) sum += mask[y * size + clamp(x + k)] as number;
      across[y * size + x] = sum;
    }
  const out = new Uint8Array(mask.length);
  const half = (2 * SMOOTHING + 1) ** 2 / 2;
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      let sum = 0;
      for (let k = -SMOOTHING; k <= SMOOTHING; k++) sum += across[clamp(y + k) * size + x] as number;
      out[y * size + x] = sum > half ? 255 : 0;
    }
  return out;
}
