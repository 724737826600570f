/** How sums over whole tensors are split: parts by many threads, then one workgroup of 64 that adds the parts. */

/** Threads of the first pass: as many as make the chains of additions of both passes equally long. */
export const partsOf = (size: number): number => Math.min(size, Math.ceil(8 * Math.sqrt(size)));
