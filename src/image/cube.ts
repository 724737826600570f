/**
 * Tables of colour (LUTs) in the .cube format of Adobe and Resolve: lines of three numbers, red fastest, behind lines that
 * say size, domain and title. 3D tables are read between their points by tetrahedra, as ffmpeg's lut3d and most colour
 * software do; an affine change comes out exactly. 1D tables, a curve a channel, are read linearly.
 */
import { InputError, UsageError } from "../errors.js";
import { type ColourMap, type ColourTransform, mapOf } from "./colour_transform.js";
import { readRgbRows } from "./float.js";
import { colourChannels, type Image, maxSample } from "./image.js";
import { blendSample } from "./paste.js";

export interface Lut {
  /** 3: a point a combination of red, green and blue; 1: a curve a channel. */
  readonly dimensions: 1 | 3;
  /** Points along each axis, at least 2. */
  readonly size: number;
  readonly title: string | null;
  /** Colours of the first and of the last points; what lies outside is taken for the nearest inside. */
  readonly domainMin: readonly [number, number, number];
  readonly domainMax: readonly [number, number, number];
  /** Interleaved RGB, red fastest: [size^3, 3] or [size, 3]. May lie outside [0, 1]. */
  readonly data: Float32Array;
}

export interface CubeOptions {
  /** Points along each axis. Default 33, which all programs take. */
  readonly size?: number;
  readonly title?: string;
  /** Lines of comment at the file's head. */
  readonly comments?: readonly string[];
}

export const CUBE_SIZE = 33;
const LARGEST = { 1: 65536, 3: 256 } as const;

/** A change of colour as a table. Values are not clamped: between points that are, a clipped change would be bent. */
export function lutOf(change: ColourTransform | ColourMap, size = CUBE_SIZE, title: string | null = null): Lut {
  checkSize(size);
  const map = typeof change === "function" ? change : mapOf(change);
  const data = new Float32Array(size ** 3 * 3);
  const colour = new Float64Array(3);
  for (let b = 0, i = 0; b < size; b++)
    for (let g = 0; g < size; g++)
      for (let r = 0; r < size; r++, i += 3) {
        colour.set([r / (size - 1), g / (size - 1), b / (size - 1)]);
        map(colour, colour);
        data.set(colour, i);
      }
  return { dimensions: 3, size, title, domainMin: [0, 0, 0], domainMax: [1, 1, 1], data };
}

function checkSize(size: number): void {
  if (!(Number.isInteger(size) && size >= 2 && size <= LARGEST[3]))
    throw new UsageError(`a LUT has from 2 to ${LARGEST[3]} points along each axis, got ${size}`);
}

/**
 * The text of a .cube file, ASCII.
 * @param change a table, or a transform, of which one is made
 */
export function toCube(change: Lut | ColourTransform, options: CubeOptions = {}): string {
  const lut = "data" in change ? change : lutOf(change, options.size);
  const plain = (text: string): string => text.replace(/[^\x20-\x7e]/g, "?");
  const title = options.title ?? lut.title;
  const lines = (options.comments ?? []).map((line) => `# ${plain(line)}`);
  if (title !== null) lines.push(`TITLE "${plain(title).replaceAll('"', "'")}"`);
  lines.push(`LUT_${lut.dimensions}D_SIZE ${lut.size}`);
  lines.push(`DOMAIN_MIN ${lut.domainMin.map(number).join(" ")}`, `DOMAIN_MAX ${lut.domainMax.map(number).join(" ")}`);
  for (let i = 0; i < lut.data.length; i += 3)
    lines.push(
      `${number(lut.data[i] as number)} ${number(lut.data[i + 1] as number)} ${number(lut.data[i + 2] as number)}`,
    );
  return `${lines.join("\n")}\n`;
}

/** Six decimals: a twentieth of a step of 16 bits. Never in exponents, which not all readers know. */
const number = (value: number): string => (Math.abs(value) < 5e-7 ? 0 : value).toFixed(6);

const KEYWORD = /^([A-Z][A-Z0-9_]*)(?:\s+(.*))?$/;

/**
 * Reads a .cube file: 3D of 2 to 256 points, 1D of 2 to 65536.
 * @param name what messages call it
 * @throws InputError with the line and what was expected there
 */
export function parseCube(text: string, name = "LUT"): Lut {
  const head = new CubeHead(name);
  let data: Float32Array | null = null;
  let filled = 0;
  let line = 0;
  for (let from = text.startsWith("\ufeff") ? 1 : 0; from < text.length; ) {
    const newline = text.indexOf("\n", from);
    const end = newline < 0 ? text.length : newline;
    if (end - from > LONGEST_LINE) throw head.error(line + 1, "is no line of a .cube file: it is too long");
    const content = text.slice(from, end).trim();
    from = end + 1;
    line++;
    if (content === "" || content.startsWith("#")) continue;
    const keyword = KEYWORD.exec(content);
    if (keyword) {
      if (data) throw head.error(line, `${keyword[1]} behind the table's first line`);
      head.read(keyword[1] as string, keyword[2] ?? "", line);
      continue;
    }
    const values = head.numbers(content, 3, line);
    data ??= new Float32Array(head.points(line) * 3);
    if (filled === data.length) throw head.error(line, `one line too many: the table has ${data.length / 3}`);
    data.set(values, filled);
    filled += 3;
  }
  const points = head.points(line);
  if (!data || filled < data.length)
    throw new InputError(`${name}: cut off or incomplete, ${filled / 3} of the table's ${points} lines are there`);
  return head.lut(data);
}

const LONGEST_LINE = 4096;

/** What stands before the table. */
class CubeHead {
  private dimensions: 1 | 3 | null = null;
  private size = 0;
  private title: string | null = null;
  private domainMin: readonly number[] = [0, 0, 0];
  private domainMax: readonly number[] = [1, 1, 1];

  constructor(private readonly name: string) {}

  error(line: number, what: string): InputError {
    return new InputError(`${this.name}, line ${line}: ${what}`);
  }

  numbers(text: string, count: number, line: number): number[] {
    const values = text.split(/\s+/).map((part) => (/^[-+.\d][-+.\deE]*$/.test(part) ? Number(part) : Number.NaN));
    if (values.length === count && values.every((value) => Number.isFinite(Math.fround(value)))) return values;
    throw this.error(line, `expected ${count === 1 ? "a number" : `${count} numbers`}, found "${text.slice(0, 60)}"`);
  }

  read(keyword: string, rest: string, line: number): void {
    switch (keyword) {
      case "TITLE":
        this.title = rest.replace(/^"(.*)"$/, "$1");
        break;
      case "LUT_1D_SIZE":
      case "LUT_3D_SIZE":
        this.readSize(keyword === "LUT_1D_SIZE" ? 1 : 3, rest, line);
        break;
      case "DOMAIN_MIN":
        this.domainMin = this.numbers(rest, 3, line);
        break;
      case "DOMAIN_MAX":
        this.domainMax = this.numbers(rest, 3, line);
        break;
      case "LUT_1D_INPUT_RANGE":
      case "LUT_3D_INPUT_RANGE": {
        const [least, most] = this.numbers(rest, 2, line) as [number, number];
        this.domainMin = [least, least, least];
        this.domainMax = [most, most, most];
        break;
      }
      case "LUT_IN_VIDEO_RANGE":
      case "LUT_OUT_VIDEO_RANGE":
        throw this.error(line, `${keyword}: made for video's range of 16 to 235; export it for full range`);
      default: // The format lets programs have words of their own.
    }
  }

  private readSize(dimensions: 1 | 3, rest: string, line: number): void {
    if (this.dimensions === dimensions) throw this.error(line, `LUT_${dimensions}D_SIZE a second time`);
    if (this.dimensions !== null)
      throw this.error(
        line,
        "both LUT_1D_SIZE and LUT_3D_SIZE: shaper and cube in one file are not read; export a cube",
      );
    const [size] = this.numbers(rest, 1, line) as [number];
    const largest = LARGEST[dimensions];
    if (!(Number.isInteger(size) && size >= 2 && size <= largest))
      throw this.error(line, `LUT_${dimensions}D_SIZE ${rest}: expected a whole number from 2 to ${largest}`);
    this.dimensions = dimensions;
    this.size = size;
  }

  /** Lines of the table. */
  points(line: number): number {
    if (this.dimensions !== null) return this.size ** this.dimensions;
    throw this.error(line, "no LUT_3D_SIZE or LUT_1D_SIZE before the table: this is no .cube file, or a damaged one");
  }

  lut(data: Float32Array): Lut {
    const { domainMin, domainMax, name, size, title } = this;
    if (!domainMin.every((least, c) => least < (domainMax[c] as number)))
      throw new InputError(`${name}: DOMAIN_MIN ${domainMin.join(" ")} is not below DOMAIN_MAX ${domainMax.join(" ")}`);
    const triple = (values: readonly number[]): [number, number, number] => values as [number, number, number];
    const dimensions = this.dimensions as 1 | 3;
    return { dimensions, size, title, domainMin: triple(domainMin), domainMax: triple(domainMax), data };
  }
}

/** A table as a function of colours in [0, 1]. */
export function mapOfLut({ dimensions, size, domainMin, domainMax, data }: Lut): ColourMap {
  const last = size - 1;
  const scale = domainMax.map((most, c) => last / (most - (domainMin[c] as number)));
  const place = (colour: Float64Array, c: number): number => {
    const at = ((colour[c] as number) - (domainMin[c] as number)) * (scale[c] as number);
    return at > 0 ? Math.min(at, last) : 0;
  };
  if (dimensions === 1)
    return (colour, out) => {
      for (let c = 0; c < 3; c++) {
        const at = place(colour, c);
        const i = Math.min(Math.floor(at), last - 1);
        const low = data[3 * i + c] as number;
        out[c] = low + (at - i) * ((data[3 * i + 3 + c] as number) - low);
      }
    };
  const steps = [3, 3 * size, 3 * size * size] as const;
  const share = new Float64Array(3);
  return (colour, out) => {
    let base = 0;
    for (let c = 0; c < 3; c++) {
      const at = place(colour, c);
      const i = Math.min(Math.floor(at), last - 1);
      share[c] = at - i;
      base += i * (steps[c] as number);
    }
    // From the cell's first corner to its last along the axes, the one with the largest share first.
    const [x, y, z] = [share[0] as number, share[1] as number, share[2] as number];
    const [first, second] =
      x >= y ? (y >= z ? [0, 1] : x >= z ? [0, 2] : [2, 0]) : x >= z ? [1, 0] : y >= z ? [1, 2] : [2, 1];
    const third = 3 - (first as number) - (second as number);
    const a = base + (steps[first as number] as number);
    const b = a + (steps[second as number] as number);
    const end = b + (steps[third] as number);
    const [s, t, u] = [share[first as number] as number, share[second as number] as number, share[third] as number];
    for (let c = 0; c < 3; c++)
      out[c] =
        (1 - s) * (data[base + c] as number) +
        (s - t) * (data[a + c] as number) +
        (t - u) * (data[b + c] as number) +
        u * (data[end + c] as number);
  };
}

/** A whole picture through a table, rounded to its depth. Alpha and metadata are kept; a gray picture stays gray. */
export function applyLut(lut: Lut, image: Image): Image {
  const { width, height, channels } = image;
  const map = mapOfLut(lut);
  const data = image.data.slice();
  const row = new Float32Array(width * 3);
  const colour = new Float64Array(3);
  const [colours, max] = [colourChannels(image), maxSample(image)];
  for (let y = 0; y < height; y++) {
    readRgbRows(image, y, y + 1, row);
    for (let x = 0; x < width; x++) {
      colour.set(row.subarray(3 * x, 3 * x + 3));
      map(colour, colour);
      blendSample(data, (y * width + x) * channels, colours, colour, 1, max);
    }
  }
  return { ...image, data };
}
