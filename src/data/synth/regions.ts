/**
 * Masks that follow what is in the photograph: it is cut into segments of like colour (Felzenszwalb and Huttenlocher 2004),
 * and from a random one on neighbours are joined until the area is large enough. Random outlines cut through things, and
 * betray themselves by edges that no real cut-out has.
 */
import type { Draws } from "./random_draws.js";

/** How much larger a difference may be than those inside a segment, over the segment's pixels. */
const LEAST_SCALE = 100;
const MOST_SCALE = 900;
/** Smaller segments join a neighbour. */
const LEAST_PIXELS = 60;
/** Half the window in which the outline is smoothed by majority. */
const SMOOTHING = 2;

/**
 * @param pixels interleaved RGB, 8 bits, `size` x `size`
 * @returns 0 or 255 a pixel
 */
export function randomRegion(pixels: Uint8Array, size: number, share: number, draws: Draws): Uint8Array {
  const labels = segment(pixels, size, draws.scale(LEAST_SCALE, MOST_SCALE));
  const start = labels[
    Math.floor(size * draws.between(0.15, 0.85)) * size + Math.floor(size * draws.between(0.15, 0.85))
  ] as number;
  const chosen = grow(labels, size, start, share * size * size, draws);
  const mask = new Uint8Array(size * size);
  for (let i = 0; i < mask.length; i++) mask[i] = chosen.has(labels[i] as number) ? 1 : 0;
  return smooth(mask, size);
}

/** The segment of each pixel, named by one of its pixels. */
function segment(pixels: Uint8Array, size: number, scale: number): Int32Array {
  const area = size * size;
  const parent = Int32Array.from({ length: area }, (_, i) => i);
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
    const [large, small] = (count[a] as number) >= (count[b] as number) ? [a, b] : [b, a];
    parent[small] = large;
    count[large] = (count[large] as number) + (count[small] as number);
    inner[large] = weight;
  };
  const edges = sortedEdges(pixels, size);
  for (const { from, to, weight } of edges.all()) {
    const [a, b] = [find(from), find(to)];
    if (a === b) continue;
    const limit = Math.min(
      (inner[a] as number) + scale / (count[a] as number),
      (inner[b] as number) + scale / (count[b] as number),
    );
    if (weight <= limit) join(a, b, weight);
  }
  for (const { from, to, weight } of edges.all()) {
    const [a, b] = [find(from), find(to)];
    if (a !== b && Math.min(count[a] as number, count[b] as number) < LEAST_PIXELS) join(a, b, weight);
  }
  return parent.map((_, i) => find(i));
}

interface Edge {
  from: number;
  to: number;
  weight: number;
}

/** Neighbours to the right and below, by the difference of their colours, the smallest first. */
function sortedEdges(pixels: Uint8Array, size: number): { all: () => Generator<Edge> } {
  const blurred = blur(pixels, size);
  const area = size * size;
  const difference = (a: number, b: number): number => {
    let sum = 0;
    for (let c = 0; c < 3; c++) sum += Math.abs((blurred[3 * a + c] as number) - (blurred[3 * b + c] as number));
    return sum;
  };
  // An edge is twice its pixel, and one more where it leads down.
  const weights = new Uint16Array(2 * area).fill(NONE);
  for (let y = 0, i = 0; y < size; y++)
    for (let x = 0; x < size; x++, i++) {
      if (x + 1 < size) weights[2 * i] = difference(i, i + 1);
      if (y + 1 < size) weights[2 * i + 1] = difference(i, i + size);
    }
  const starts = new Int32Array(NONE + 2);
  for (const weight of weights) starts[weight + 1] = (starts[weight + 1] as number) + 1;
  for (let w = 1; w < starts.length; w++) starts[w] = (starts[w] as number) + (starts[w - 1] as number);
  const total = starts[NONE] as number;
  const order = new Int32Array(weights.length);
  for (let e = 0; e < weights.length; e++) {
    const weight = weights[e] as number;
    const place = starts[weight] as number;
    order[place] = e;
    starts[weight] = place + 1;
  }
  return {
    *all() {
      const edge: Edge = { from: 0, to: 0, weight: 0 };
      for (let k = 0; k < total; k++) {
        const e = order[k] as number;
        edge.from = e >> 1;
        edge.to = edge.from + (e & 1 ? size : 1);
        edge.weight = weights[e] as number;
        yield edge;
      }
    },
  };
}

/** Above every difference of three 8-bit channels. */
const NONE = 766;

/** The mean of 3 x 3 pixels; the border repeats. */
function blur(pixels: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(pixels.length);
  const clamp = (i: number): number => Math.min(size - 1, Math.max(0, i));
  for (let y = 0, p = 0; y < size; y++) {
    const rows = [clamp(y - 1) * size, y * size, clamp(y + 1) * size] as const;
    for (let x = 0; x < size; x++) {
      const columns = [clamp(x - 1), x, clamp(x + 1)] as const;
      for (let c = 0; c < 3; c++, p++) {
        let sum = 0;
        for (const row of rows) for (const column of columns) sum += pixels[3 * (row + column) + c] as number;
        out[p] = sum / 9;
      }
    }
  }
  return out;
}

/** Segments joined to `start`, each a neighbour of one before it, until they cover `area` pixels. */
function grow(labels: Int32Array, size: number, start: number, area: number, draws: Draws): Set<number> {
  const neighbours = new Map<number, Set<number>>();
  const sizes = new Map<number, number>();
  const touch = (a: number, b: number): void => {
    if (a === b) return;
    for (const [one, other] of [
      [a, b],
      [b, a],
    ] as const) {
      const known = neighbours.get(one);
      if (known) known.add(other);
      else neighbours.set(one, new Set([other]));
    }
  };
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] as number;
    sizes.set(label, (sizes.get(label) ?? 0) + 1);
    if ((i + 1) % size !== 0) touch(label, labels[i + 1] as number);
    if (i + size < labels.length) touch(label, labels[i + size] as number);
  }
  const chosen = new Set([start]);
  const border = new Set(neighbours.get(start));
  let covered = sizes.get(start) ?? 0;
  while (covered < area && border.size > 0) {
    const next = draws.one([...border].sort((a, b) => a - b));
    border.delete(next);
    chosen.add(next);
    covered += sizes.get(next) ?? 0;
    for (const other of neighbours.get(next) ?? []) if (!chosen.has(other)) border.add(other);
  }
  return chosen;
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
