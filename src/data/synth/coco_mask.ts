/**
 * COCO's three forms of a mask, rasterised as pycocotools does it to the last pixel.
 *
 * A polygon's boundary is walked on a grid five times as fine, one step of the longer axis at a time. Where the walk passes
 * from one fine column to the next, and that place is the middle of a pixel's column, the column's rows from there down
 * change sides. Offsets are column-major, and a row below the last one is the next column's first: parity takes care of both.
 */
import { InputError } from "../../errors.js";

/** Parts as x0, y0, x1, y1, ...; or runs of zeros and ones in turn, column by column, plain or packed into a string. */
export type Segmentation =
  | readonly (readonly number[])[]
  | { readonly size: readonly [height: number, width: number]; readonly counts: readonly number[] | string };

/** 0 or 1 a pixel, row by row: [height, width]. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

const FINE = 5;

/**
 * @param name what messages call the annotation
 * @throws InputError for runs that do not fill the picture, and for anything that is no segmentation
 */
export function rasterize(segmentation: Segmentation, width: number, height: number, name = "annotation"): Raster {
  const columns = new Uint8Array(width * height);
  if (Array.isArray(segmentation)) fillParts(columns, partsOf(segmentation, name), width, height);
  else fillRuns(columns, runsOf(segmentation as Exclude<Segmentation, readonly unknown[]>, width, height, name), name);
  return { width, height, data: transpose(columns, width, height) };
}

function partsOf(segmentation: readonly (readonly number[])[], name: string): readonly (readonly number[])[] {
  const [first] = segmentation;
  const isPart = (part: unknown): boolean => Array.isArray(part) && part.every((value) => Number.isFinite(value));
  if (!first || !segmentation.every(isPart) || first.length < 4) {
    throw new InputError(`${name}: expected parts of a polygon as lists of x, y, x, y, ...`);
  }
  // pycocotools takes four numbers for a box: x, y, width, height.
  if (first.length > 4) return segmentation;
  return segmentation.map(([x = 0, y = 0, w = 0, h = 0]) => [x, y, x, y + h, x + w, y + h, x + w, y]);
}

function fillParts(columns: Uint8Array, parts: readonly (readonly number[])[], width: number, height: number): void {
  const turns = new Uint8Array(columns.length + 1);
  for (const part of parts) {
    turns.fill(0);
    markTurns(turns, part, width, height);
    for (let i = 0, inside = 0; i < columns.length; i++) {
      inside ^= turns[i] as number;
      if (inside) columns[i] = 1;
    }
  }
}

/** Marks the offsets at which the polygon's inside begins or ends. */
function markTurns(turns: Uint8Array, part: readonly number[], width: number, height: number): void {
  const corners = part.length >> 1;
  const fine = (i: number): number => Math.trunc(FINE * (part[i] as number) + 0.5);
  let [previousX, previousY] = [Number.NaN, Number.NaN];
  const visit = (x: number, y: number): void => {
    if (x !== previousX && !Number.isNaN(previousX)) {
      const column = ((x < previousX ? x : x - 1) + 0.5) / FINE - 0.5;
      if (Number.isInteger(column) && column >= 0 && column <= width - 1) {
        const row = (Math.min(y, previousY) + 0.5) / FINE - 0.5;
        const offset = column * height + Math.ceil(Math.min(height, Math.max(0, row)));
        turns[offset] = (turns[offset] as number) ^ 1;
      }
    }
    [previousX, previousY] = [x, y];
  };
  for (let corner = 0; corner < corners; corner++) {
    const next = (corner + 1) % corners;
    walk(fine(2 * corner), fine(2 * corner + 1), fine(2 * next), fine(2 * next + 1), visit);
  }
}

/** From one corner to the next. Reckoned from the end with the smaller main coordinate, so that both directions agree. */
function walk(x0: number, y0: number, x1: number, y1: number, visit: (x: number, y: number) => void): void {
  const [dx, dy] = [Math.abs(x1 - x0), Math.abs(y1 - y0)];
  const alongX = dx >= dy;
  const backwards = alongX ? x0 > x1 : y0 > y1;
  const [xs, ys, xe, ye] = backwards ? [x1, y1, x0, y0] : [x0, y0, x1, y1];
  const length = alongX ? dx : dy;
  if (length === 0) {
    visit(x0, y0);
    return;
  }
  const slope = alongX ? (ye - ys) / dx : (xe - xs) / dy;
  for (let step = 0; step <= length; step++) {
    const t = backwards ? length - step : step;
    if (alongX) visit(t + xs, Math.trunc(ys + slope * t + 0.5));
    else visit(Math.trunc(xs + slope * t + 0.5), t + ys);
  }
}

function runsOf(
  { size, counts }: Exclude<Segmentation, readonly unknown[]>,
  width: number,
  height: number,
  name: string,
): readonly number[] {
  if (!Array.isArray(size) || size[0] !== height || size[1] !== width) {
    throw new InputError(`${name}: its runs are of a picture of ${size} (height, width), not ${height},${width}`);
  }
  if (typeof counts === "string") return unpackRuns(counts, name);
  if (Array.isArray(counts)) return counts;
  throw new InputError(`${name}: expected runs as a list of numbers or a string`);
}

/**
 * Six bits a character from "0" on, the lowest five first: five of the number, one that says that more follow. The last
 * group's highest bit is the sign. From the fourth number on, the one two places before is to be added.
 */
export function unpackRuns(text: string, name = "annotation"): number[] {
  const runs: number[] = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    for (let shift = 0, more = true; more; shift += 5) {
      const bits = text.charCodeAt(at++) - 48;
      if (!(bits >= 0 && bits < 64) || shift > 30) throw new InputError(`${name}: its packed runs are damaged`);
      value += (bits & 0x1f) * 2 ** shift;
      more = (bits & 0x20) !== 0;
      if (!more && (bits & 0x10) !== 0) value -= 2 ** (shift + 5);
    }
    runs.push(runs.length > 2 ? value + (runs[runs.length - 2] as number) : value);
  }
  return runs;
}

function fillRuns(columns: Uint8Array, runs: readonly number[], name: string): void {
  let at = 0;
  for (const [i, run] of runs.entries()) {
    if (!(Number.isInteger(run) && run >= 0 && at + run <= columns.length)) {
      throw new InputError(`${name}: its runs are damaged (run ${i} of ${run} pixels at ${at} of ${columns.length})`);
    }
    if (i % 2 === 1) columns.fill(1, at, at + run);
    at += run;
  }
  if (at !== columns.length) throw new InputError(`${name}: its runs fill ${at} of ${columns.length} pixels`);
}

function transpose(columns: Uint8Array, width: number, height: number): Uint8Array {
  const rows = new Uint8Array(columns.length);
  for (let x = 0, i = 0; x < width; x++) for (let y = 0; y < height; y++) rows[y * width + x] = columns[i++] as number;
  return rows;
}

/** Pixels that are 1. */
export const areaOf = ({ data }: Raster): number => data.reduce((sum, value) => sum + value, 0);
