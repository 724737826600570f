/**
 * JSON for formats that must not be read two ways: JSON.parse keeps the last of two equal keys, rounds integers and
 * lets `__proto__` through to careless code. Here duplicates are refused, objects are Maps in file order, and integers
 * are bigints, so that `1`, `1.0` and 2^53 + 1 stay apart.
 */

export type Json = string | number | bigint | boolean | null | Json[] | Map<string, Json>;

/** Thrown with what is wrong and where; callers wrap it in an error that names the file. */
export class JsonError extends Error {}

const MAX_DEPTH = 16;
const NUMBER = /^-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const MAX_NUMBER_LENGTH = 40; // parsing a bigint takes quadratic time

export function parseStrictJson(text: string): Json {
  const parser = new Parser(text);
  const value = parser.value(0);
  parser.end();
  return value;
}

class Parser {
  private at = 0;
  constructor(private readonly text: string) {}

  value(depth: number): Json {
    if (depth > MAX_DEPTH) throw this.error(`is nested deeper than ${MAX_DEPTH} levels`);
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
    for (let c = this.text[this.at]; c !== '"'; c = this.text[this.at]) {
      if (c === undefined) throw this.error("ends within a string");
      this.at += c === "\\" ? 2 : 1;
    }
    this.at++;
    const literal = this.text.slice(start, this.at);
    let value: unknown;
    try {
      value = JSON.parse(literal);
    } catch {
      // Falls through to the refusal below.
    }
    if (typeof value !== "string" || /\p{Surrogate}/u.test(value)) throw this.error("holds an invalid string", start);
    return value;
  }

  private number(): number | bigint {
    const start = this.at;
    for (let c = this.text[this.at]; c !== undefined && "+-.0123456789eE".includes(c); c = this.text[this.at])
      this.at++;
    const literal = this.text.slice(start, this.at);
    const match = literal.length <= MAX_NUMBER_LENGTH ? NUMBER.exec(literal) : null;
    if (match === null) throw this.error("needs a value", start);
    return match[1] === undefined && match[2] === undefined ? BigInt(literal) : Number(literal);
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) throw this.error("needs a value");
    this.at += word.length;
    return value;
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

/** A name from a file, made fit for an error message: escaped and of bounded length. */
export const quoted = (name: string): string => JSON.stringify(name.length <= 120 ? name : `${name.slice(0, 117)}...`);
