/**
 * The elements of a JSON object's arrays one by one, from a file that may be larger than the longest string: COCO's
 * annotations of its training pictures are half a gigabyte. Each element is parsed by itself.
 */
import { InputError } from "../../errors.js";
import { withFileSource } from "../../io/file_source.node.js";

const PIECE = 1 << 22;
const [QUOTE, BACKSLASH, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST, COMMA, COLON] = [34, 92, 123, 125, 91, 93, 44, 58];
const isBlank = (byte: number): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9;

/**
 * Calls back with every element of the arrays that stand at the top level of the object in `path`.
 * @throws InputError where the file cannot be read or is no JSON object
 */
export async function readJsonArrays(path: string, onElement: (key: string, element: unknown) => void): Promise<void> {
  const splitter = new Splitter(path, onElement);
  await withFileSource(path, async (file) => {
    for (let at = 0; at < file.size; at += PIECE) {
      splitter.push(await file.read(at, Math.min(PIECE, file.size - at)));
    }
  });
  splitter.end();
}

class Splitter {
  private depth = 0;
  private inText = false;
  private escaped = false;
  /** Of the value under way, gathered from pieces. */
  private value: Uint8Array[] = [];
  private key = "";
  /** A value at depth 1 is a key or a scalar; one at depth 2 an element, where the key's value is an array. */
  private inArray = false;
  private done = false;

  constructor(
    private readonly path: string,
    private readonly onElement: (key: string, element: unknown) => void,
  ) {}

  push(bytes: Uint8Array): void {
    let start = 0;
    const take = (end: number): void => {
      if (end > start) this.value.push(bytes.slice(start, end));
      start = end;
    };
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      if (this.inText) {
        if (this.escaped) this.escaped = false;
        else if (byte === BACKSLASH) this.escaped = true;
        else if (byte === QUOTE) this.inText = false;
        continue;
      }
      if (this.depth === 0 && !isBlank(byte)) {
        if (byte !== OPEN || this.done) throw this.wrong("expected one object");
        this.depth = 1;
        start = i + 1;
      } else if (byte === QUOTE) {
        this.inText = true;
      } else if (byte === OPEN || byte === OPEN_LIST) {
        this.depth++;
        if (this.depth === 2 && byte === OPEN_LIST) {
          this.inArray = true;
          this.value = [];
          start = i + 1;
        }
      } else if (byte === CLOSE || byte === CLOSE_LIST) {
        this.depth--;
        if (this.depth === 1 && this.inArray) {
          take(i);
          this.element();
          this.inArray = false;
          start = i + 1;
        }
        if (this.depth === 0) this.done = true;
      } else if (byte === COMMA && this.depth === 2 && this.inArray) {
        take(i);
        this.element();
        start = i + 1;
      } else if (byte === COLON && this.depth === 1) {
        take(i);
        this.key = this.parse("a key") as string;
        start = i + 1;
      } else if (byte === COMMA && this.depth === 1) {
        this.value = [];
        start = i + 1;
      }
    }
    take(bytes.length);
    if (this.done) this.value = [];
  }

  end(): void {
    if (!this.done) throw this.wrong("it ends in the middle");
  }

  private element(): void {
    if (this.value.every((part) => part.every(isBlank))) {
      this.value = [];
      return; // an empty array
    }
    this.onElement(this.key, this.parse(`an element of ${this.key}`));
  }

  private parse(what: string): unknown {
    const text = Buffer.concat(this.value).toString("utf8");
    this.value = [];
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw this.wrong(`${what} is ${JSON.stringify(text.trim().slice(0, 80))}`, cause);
    }
  }

  private wrong(detail: string, cause?: unknown): InputError {
    return new InputError(`${this.path}: is not JSON with COCO's arrays images and annotations (${detail})`, { cause });
  }
}
