/**
 * JSON for formats that must not be read two ways: JSON.parse keeps the last of two equal keys, rounds integers and
 * lets `__proto__` through to careless code. Here duplicates are refused, objects are Maps in file order, and `1`, `1.0`
 * and 2^53 + 1 stay apart.
 */

/** A `number` is always a safe integer that was written as one. */
export type Json = string | number | InexactNumber | boolean | null | Json[] | Map<string, Json>;

/** A number with a fraction, an exponent, or more digits than 2^53 - 1, as it was written. */
export class InexactNumber {
  constructor(readonly literal: string) {}
}

/** Thrown with what is wrong and where; callers wrap it in an error that names the file. */
export class JsonError extends Error {}

const MAX_DEPTH = 16;
/** Enough for hundreds of thousands of tensors; 100 MB of `1,1,1` would otherwise take gigabytes. */
const MAX_VALUES = 4_000_000;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const INTEGER = /^(?:0|-?[1-9]\d*)$/;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

export function parseStrictJson(text: string): Json {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

class Parser {
  private at = 0;
  private values = 0;
  constructor(private readonly text: string) {}

  value(depth: number): Json {
    if (depth > MAX_DEPTH) throw this.error(`is nested deeper than ${MAX_DEPTH} levels`);
    if (++this.values > MAX_VALUES) throw this.error(`has more than ${MAX_VALUES} values`);
    switch (this.peek()) {
      case "{":
        return this.object(depth);
      case "[":
        return this.array(depth);
      case '"':
        return this.string();
      case "t":
        return this.word("true", true);
      case "f":
        return this.word("false", false);
      case "n":
        return this.word("null", null);
      default:
        return this.number();
    }
  }

  end(): void {
    if (this.peek() !== undefined) throw this.error("goes on after its end");
  }

  private object(depth: number): Map<string, Json> {
    const object = new Map<string, Json>();
    this.expect("{");
    while (!this.accept("}")) {
      if (object.size > 0) this.expect(",");
      if (this.peek() !== '"') throw this.error("needs a key in double quotes");
      const key = this.string();
      if (object.has(key)) throw this.error(`has the key ${quoted(key)} twice`);
      this.expect(":");
      object.set(key, this.value(depth + 1));
    }
    return object;
  }

  private array(depth: number): Json[] {
    const items: Json[] = [];
    this.expect("[");
    while (!this.accept("]")) {
      if (items.length > 0) this.expect(",");
      items.push(this.value(depth + 1));
    }
    return items;
  }

  private string(): string {
    const start = this.at++;
    let plain = true;
    for (let code = this.code(); code !== QUOTE; code = this.code()) {
      if (Number.isNaN(code)) throw this.error("ends within a string");
      if (code === BACKSLASH || code < 0x20 || code >= 0xd800) plain = false;
      this.at += code === BACKSLASH ? 2 : 1;
    }
    this.at++;
    if (plain) return this.text.slice(start + 1, this.at - 1);
    const value = jsonString(this.text.slice(start, this.at));
    if (value === undefined || /\p{Surrogate}/u.test(value)) throw this.error("holds an invalid string", start);
    return value;
  }

  private number(): number | InexactNumber {
    const start = this.at;
    while (isNumeric(this.code())) this.at++;
    const literal = this.text.slice(start, this.at);
    if (!NUMBER.test(literal)) throw this.error("needs a value", start);
    const value = Number(literal);
    return INTEGER.test(literal) && Number.isSafeInteger(value) ? value : new InexactNumber(literal);
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw this.error("needs a value");
    this.at += word.length;
    return value;
  }

  private code(): number {
    return this.text.charCodeAt(this.at);
  }

  private peek(): string | undefined {
    for (let c = this.text[this.at]; ; c = this.text[++this.at]) {
      if (c !== " " && c !== "\n" && c !== "\r" && c !== "\t") return c;
    }
  }

  private accept(token: string): boolean {
    if (this.peek() !== token) return false;
    this.at++;
    return true;
  }

  private expect(token: string): void {
    if (!this.accept(token)) throw this.error(`needs a "${token}"`);
  }

  private error(message: string, at = this.at): JsonError {
    return new JsonError(`${message} (character ${at})`);
  }
}

/** Digits, signs, the point and the exponent's letter. */
const isNumeric = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2b || code === 0x2e || code === 0x65 || code === 0x45;

function jsonString(literal: string): string | undefined {
  try {
    return String(JSON.parse(literal));
  } catch {
    return undefined;
  }
}

/** A name from a file, made fit for an error message: escaped and of bounded length. */
export const quoted = (name: string): string => JSON.stringify(name.length <= 120 ? name : `${name.slice(0, 117)}...`);
