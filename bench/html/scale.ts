/** A logarithmic axis: equal distances are equal ratios. */
export interface LogScale {
  readonly at: (value: number) => number;
  /** Powers of ten inside the range. */
  readonly ticks: readonly number[];
  readonly from: number;
  readonly to: number;
}

/** @param values what must fit; the range is widened to halves of a decade @param start,end in pixels */
export function logScale(values: readonly number[], start: number, end: number): LogScale {
  const logs = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
  const low = Math.floor(2 * (logs.length > 0 ? Math.min(...logs) : 0) - 0.2) / 2;
  const high = Math.ceil(2 * Math.max(...logs, low + 1) + 0.2) / 2;
  const at = (value: number): number => start + ((Math.log10(value) - low) / (high - low)) * (end - start);
  const ticks: number[] = [];
  for (let power = Math.ceil(low); power <= high; power++) ticks.push(10 ** power);
  return { at, ticks, from: 10 ** low, to: 10 ** high };
}

/** A power of ten as people write it. */
export const tickText = (value: number): string => (value >= 1 ? value.toLocaleString("en-US") : String(value));
