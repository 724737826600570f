/**
 * Which storages share a buffer. Whole buffers are reused by liveness; there is no arena, because WebGPU tracks usage
 * a buffer at a time: one dispatch cannot read and write disjoint ranges of one buffer, and every write serialises.
 */
export interface Lifetime {
  readonly bytes: number;
  /** First and last pass that touch it, inclusive. */
  readonly first: number;
  readonly last: number;
}

export interface BufferPlan {
  /** Buffer of each lifetime, in the order given. */
  readonly bufferOf: readonly number[];
  readonly bufferBytes: readonly number[];
}

/**
 * Greedy by size: the largest storages choose first, each takes the smallest buffer that is free for its whole life.
 * @param share false gives each storage a buffer of its own
 */
export function planBuffers(lifetimes: readonly Lifetime[], share: boolean): BufferPlan {
  const buffers: { bytes: number; held: Lifetime[] }[] = [];
  const bufferOf = new Array<number>(lifetimes.length).fill(-1);
  const order = lifetimes
    .map((lifetime, index) => ({ lifetime, index }))
    .sort((a, b) => b.lifetime.bytes - a.lifetime.bytes || a.index - b.index);
  for (const { lifetime, index } of order) {
    const overlaps = (other: Lifetime): boolean => lifetime.first <= other.last && other.first <= lifetime.last;
    // Buffers were made in falling size, so the last that is free is the smallest that fits.
    let chosen = share ? buffers.findLastIndex((buffer) => !buffer.held.some(overlaps)) : -1;
    if (chosen < 0) chosen = buffers.push({ bytes: lifetime.bytes, held: [] }) - 1;
    buffers[chosen]?.held.push(lifetime);
    bufferOf[index] = chosen;
  }
  return { bufferOf, bufferBytes: buffers.map(({ bytes }) => bytes) };
}

/** The most bytes alive at once: what no plan can go below. */
export function lowerBound(lifetimes: readonly Lifetime[]): number {
  const ends = lifetimes.flatMap(({ bytes, first, last }) => [
    { at: first, change: bytes },
    { at: last + 1, change: -bytes },
  ]);
  ends.sort((a, b) => a.at - b.at || a.change - b.change);
  let live = 0;
  let peak = 0;
  for (const { change } of ends) {
    live += change;
    peak = Math.max(peak, live);
  }
  return peak;
}
