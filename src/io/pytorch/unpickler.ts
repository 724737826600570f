/**
 * Python's pickle machine, reduced to what `torch.save` writes: opcodes that build numbers, strings, lists, tuples,
 * dicts and references to storages. Imports go through the allow-list of `globals`, and opcodes that construct objects
 * any other way are refused. Work and memory are bounded, whatever the bytes say.
 */
import { callGlobal, findGlobal, setState } from "./globals.js";
import { PickleCursor } from "./pickle_cursor.js";
import type { PyValue } from "./python_values.js";

const MAX_STEPS = 1_000_000;
const MAX_STACK = 1 << 16;
const MAX_MARKS = 256;

const STOP = 0x2e;

/** Constructors and other opcodes of Python's machine that a checkpoint has no use for, by name for the refusal. */
const REFUSED: ReadonlyMap<number, string> = new Map([
  [0x6f, "OBJ"],
  [0x81, "NEWOBJ"],
  [0x92, "NEWOBJ_EX"],
  [0x82, "EXT1"],
  [0x83, "EXT2"],
  [0x84, "EXT4"],
  [0x50, "PERSID"],
]);

export interface Unpickled {
  readonly value: PyValue;
  /** Where the byte after the pickle lies. */
  readonly end: number;
}

/**
 * Evaluates the pickle at `start` of `bytes`. `persistentLoad` resolves references to storages. Throws WeightsError
 * on whatever is not allowed, and PickleEnd when the bytes run out.
 */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  file: string,
  persistentLoad: (id: PyValue) => PyValue,
): Unpickled {
  const cursor = new PickleCursor(bytes, start, file);
  const value = new Machine(cursor, file, persistentLoad).run();
  return { value, end: cursor.at };
}

class Machine {
  private readonly stack: PyValue[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, PyValue>();
  private steps = 0;

  constructor(
    private readonly cursor: PickleCursor,
    private readonly file: string,
    private readonly persistentLoad: (id: PyValue) => PyValue,
  ) {}

  run(): PyValue {
    for (;;) {
      this.spend(1);
      const opcode = this.cursor.uint8();
      if (opcode === STOP) break;
      const value = this.literal(opcode) ?? this.compound(opcode);
      if (value !== undefined) this.push(value);
      else this.perform(opcode);
    }
    const value = this.pop();
    if (this.stack.length > 0 || this.marks.length > 0) throw this.cursor.error("ends with values left over");
    return value;
  }

  /** The value of an opcode that spells one out, or undefined for any other opcode. */
  private literal(opcode: number): PyValue | undefined {
    const { cursor } = this;
    switch (opcode) {
      case 0x88: // NEWTRUE
        return true;
      case 0x89: // NEWFALSE
        return false;
      case 0x4b: // BININT1
        return cursor.uint8();
      case 0x4d: // BININT2
        return cursor.uint16();
      case 0x4a: // BININT
        return cursor.int32();
      case 0x8a: // LONG1
        return cursor.long(cursor.uint8());
      case 0x8b: // LONG4
        return cursor.long(cursor.uint32());
      case 0x47: // BINFLOAT
        return cursor.float64();
      case 0x8c: // SHORT_BINUNICODE
        return cursor.utf8(cursor.uint8());
      case 0x58: // BINUNICODE
        return cursor.utf8(cursor.uint32());
      case 0x8d: // BINUNICODE8
        return cursor.utf8(cursor.uint64());
      case 0x55: // SHORT_BINSTRING
        return cursor.latin1(cursor.uint8());
      case 0x54: // BINSTRING
        return cursor.latin1(cursor.uint32());
      case 0x43: // SHORT_BINBYTES
        return cursor.slice(cursor.uint8());
      case 0x42: // BINBYTES
        return cursor.slice(cursor.uint32());
      case 0x8e: // BINBYTES8
        return cursor.slice(cursor.uint64());
      case 0x63: // GLOBAL
        return findGlobal(cursor.line(), cursor.line(), this.file);
      default:
        return undefined;
    }
  }

  /** The value of an opcode that makes one, mostly of values on the stack, or undefined for any other opcode. */
  private compound(opcode: number): PyValue | undefined {
    switch (opcode) {
      case 0x4e: // NONE
        return null;
      case 0x5d: // EMPTY_LIST
      case 0x29: // EMPTY_TUPLE
        return [];
      case 0x7d: // EMPTY_DICT
        return new Map();
      case 0x6c: // LIST
      case 0x74: // TUPLE
        return this.popToMark();
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.popMany(opcode - 0x84);
      case 0x64: // DICT
        return this.setItems(new Map(), this.popToMark());
      case 0x32: // DUP
        return this.top();
      case 0x68: // BINGET
        return this.recall(this.cursor.uint8());
      case 0x6a: // LONG_BINGET
        return this.recall(this.cursor.uint32());
      case 0x93: // STACK_GLOBAL
        return this.stackGlobal();
      case 0x52: // REDUCE
        return this.reduce();
      case 0x51: // BINPERSID
        return this.persistentLoad(this.pop());
      default:
        return undefined;
    }
  }

  /** Opcodes that change what is there instead of making a value. */
  private perform(opcode: number): void {
    const { cursor } = this;
    switch (opcode) {
      case 0x80: // PROTO
        if (cursor.uint8() > 5) throw cursor.error("is of a protocol above 5");
        break;
      case 0x95: // FRAME
        cursor.take(8);
        break;
      case 0x28: // MARK
        if (this.marks.length === MAX_MARKS) throw cursor.error(`is nested deeper than ${MAX_MARKS} levels`);
        this.marks.push(this.stack.length);
        break;
      case 0x30: // POP, which also takes back a mark
        if (this.marks.at(-1) === this.stack.length) this.marks.pop();
        else this.pop();
        break;
      case 0x31: // POP_MARK
        this.popToMark();
        break;
      case 0x71: // BINPUT
        this.memo.set(cursor.uint8(), this.top());
        break;
      case 0x72: // LONG_BINPUT
        this.memo.set(cursor.uint32(), this.top());
        break;
      case 0x94: // MEMOIZE
        this.memo.set(this.memo.size, this.top());
        break;
      case 0x61: // APPEND
        this.append(this.popMany(1));
        break;
      case 0x65: // APPENDS
        this.append(this.popToMark());
        break;
      case 0x73: // SETITEM
        this.update(this.popMany(2));
        break;
      case 0x75: // SETITEMS
        this.update(this.popToMark());
        break;
      case 0x62: // BUILD
        setState(this.top(1), this.pop(), this.file);
        break;
      case 0x69: // INST: imports as GLOBAL does, then constructs
        findGlobal(cursor.line(), cursor.line(), this.file);
        throw cursor.error("constructs an object (INST); refuses to");
      default: {
        const name = REFUSED.get(opcode) ?? `0x${opcode.toString(16).padStart(2, "0")}`;
        throw cursor.error(`uses the opcode ${name}, which no checkpoint needs; refuses to follow it`);
      }
    }
  }

  private stackGlobal(): PyValue {
    const [module, name] = this.popMany(2);
    if (typeof module !== "string" || typeof name !== "string") {
      throw this.cursor.error("imports something without a name");
    }
    return findGlobal(module, name, this.file);
  }

  private reduce(): PyValue {
    const [callee = null, args = null] = this.popMany(2);
    return callGlobal(callee, args, (count) => this.spend(count), this.file);
  }

  /** Counts work, so that no pickle runs for long; a step makes at most one small value or consumes file bytes. */
  private spend(count: number): void {
    this.steps += count;
    if (this.steps > MAX_STEPS) throw this.cursor.error(`takes more than ${MAX_STEPS} steps`);
  }

  private push(value: PyValue): void {
    if (this.stack.length === MAX_STACK) throw this.cursor.error(`piles up more than ${MAX_STACK} values`);
    this.stack.push(value);
  }

  private pop(): PyValue {
    const value = this.top();
    this.stack.length--;
    return value;
  }

  /** The value `depth` below the top; values under the last mark are out of reach. */
  private top(depth = 0): PyValue {
    const index = this.stack.length - 1 - depth;
    const value = this.stack[index];
    if (value === undefined || index < (this.marks.at(-1) ?? 0)) {
      throw this.cursor.error("takes a value from an empty stack");
    }
    return value;
  }

  private popMany(count: number): PyValue[] {
    this.top(count - 1);
    return this.stack.splice(-count);
  }

  private popToMark(): PyValue[] {
    const mark = this.marks.pop();
    if (mark === undefined) throw this.cursor.error("closes a group that it never opened");
    return this.stack.splice(mark);
  }

  private append(items: PyValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.cursor.error("appends to something that is not a list");
    for (const item of items) list.push(item);
  }

  private update(items: PyValue[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) throw this.cursor.error("sets items of something that is not a dict");
    this.setItems(dict, items);
  }

  private setItems(dict: Map<PyValue, PyValue>, items: PyValue[]): Map<PyValue, PyValue> {
    if (items.length % 2 !== 0) throw this.cursor.error("has a key without a value");
    for (let i = 0; i < items.length; i += 2) dict.set(items[i] ?? null, items[i + 1] ?? null);
    return dict;
  }

  private recall(key: number): PyValue {
    const value = this.memo.get(key);
    if (value === undefined) throw this.cursor.error("recalls a value that it never stored");
    return value;
  }
}
