/** Reads the listings that RADV_DEBUG=asm prints: blocks, loops, and what a loop's instructions are. */

export interface Instruction {
  /** With its suffixes: `v_fmac_f32_e32`. */
  readonly op: string;
  readonly operands: readonly string[];
  /** Of the listing, from 0. */
  readonly line: number;
}

interface Block {
  readonly name: string;
  /** Of the first line of the block. */
  readonly line: number;
  readonly code: Instruction[];
}

/** What the instructions of a stretch of code are; hints and waits of the pipeline are left out. */
export interface Counts {
  readonly instructions: number;
  /** Multiply-adds of one lane: a packed instruction does two. */
  readonly multiplyAdds: number;
  /** Instructions that do them. */
  readonly multiplyAddInstructions: number;
  /** All on the vector units, multiply-adds among them. */
  readonly vector: number;
  /** On workgroup memory. */
  readonly lds: number;
  /** That they move, by lane. */
  readonly ldsBytes: number;
  /** On buffers, through the vector units. */
  readonly memory: number;
  readonly memoryBytes: number;
  /** Scalar arithmetic, branches and loads. */
  readonly scalar: number;
  /** Unsigned or signed divisions, emulated by some twenty instructions each. */
  readonly divisions: number;
  /** 32-bit integer multiplications on the vector units, which take four times as long as an addition. */
  readonly multiplications: number;
  /** Reciprocals, roots, powers: a quarter of the rate. */
  readonly transcendental: number;
  /** Products of matrices. */
  readonly matrix: number;
}

export interface Loop extends Counts {
  /** 1 where it is no loop but all of a kernel that does its work without one. */
  readonly whole: 0 | 1;
  /** Lines of the listing, both inclusive. */
  readonly from: number;
  readonly to: number;
}

const REPEATED = /^\s*\(then repeated (\d+) times?\)/;

function blocksOf(listing: string): Block[] {
  const blocks: Block[] = [];
  let code: Instruction[] = [];
  const open = (name: string, line: number): void => {
    code = [];
    blocks.push({ name, line, code });
  };
  open("", 0);
  listing.split("\n").forEach((text, line) => {
    const label = /^\s*(BB\d+):/.exec(text)?.[1];
    if (label !== undefined) open(label, line);
    const again = REPEATED.exec(text)?.[1];
    const last = code.at(-1);
    if (again !== undefined && last) code.push(...Array.from({ length: Number(again) }, () => last));
    const [, parts] = /^\s+((?:s|v|ds|buffer|global|flat|scratch|tbuffer|image|exp)_.*?)\s*(?:;.*)?$/.exec(text) ?? [];
    // RDNA 3 pairs two operations in one instruction: v_dual_fmac_f32 v0, v1, v2 :: v_dual_mov_b32 v3, v4
    for (const part of parts?.split(" :: ") ?? []) {
      const [op = "", rest = ""] = part.trim().split(/\s+(.*)/s, 2);
      code.push({ op, operands: rest.split(/,\s*/).map((one) => one.trim()), line });
    }
  });
  return blocks.filter((block) => block.code.length > 0 || block.name !== "");
}

const HINT = /^s_(delay_alu|nop|clause|waitcnt\w*|wait_\w+|inst_prefetch|set_inst_prefetch_distance|sleep)$/;
const MULTIPLY_ADD =
  /^v_(?:pk_|dual_)?(?:fma|fmac|mac|mad|fmaak|fmamk|madak|madmk|fmaakf|fmamkf)(?:_mix\w*|_legacy)?_f(?:16|32|64)/;
const DOT = /^v_dot2\w*_f32_f16|^v_dot2\w*_f16_f16/;
const MATRIX = /^v_(?:s?wmma|s?mfmac?)_/;
const SLOW_MULTIPLY = /^v_(?:mul_(?:lo|hi)_[ui]32|mad_[ui]64_[ui]32|mad_co_[ui]64_[ui]32)/;
const TRANSCENDENTAL = /^v_(?:rcp|rsq|sqrt|exp|log|sin|cos)(?:_iflag|_legacy)?_f(?:16|32)/;
const ON_BUFFERS = /^(?:global|buffer|flat|scratch|tbuffer|image)_/;

const lanesWork = (op: string): number => {
  if (DOT.test(op)) return 2;
  if (!MULTIPLY_ADD.test(op)) return 0;
  return op.startsWith("v_pk_") ? 2 : 1;
};

/** Of a load or store of either memory, by lane. */
function bytesOf(op: string): number {
  const name = op.replace(/_e\d+$/, "");
  const several = /^ds_(?:load|store|read|write)_?2(?:addr)?(?:st64|_stride64)?_b(\d+)/.exec(name);
  if (several) return (2 * Number(several[1])) / 8;
  const bits = /_[bui](8|16|32|64|96|128)(?:_|$)/.exec(name)?.[1];
  if (bits !== undefined) return Number(bits) / 8;
  const words = /dwordx?(\d?)/.exec(name);
  if (words) return 4 * Number(words[1] || 1);
  if (/byte/.test(name)) return 1;
  return /short|d16/.test(name) ? 2 : 4;
}

function countsOf(code: readonly Instruction[]): Counts {
  const real = code.filter(({ op }) => !HINT.test(op));
  const number = (fits: (op: string) => boolean): number => real.filter(({ op }) => fits(op)).length;
  const bytes = (fits: RegExp): number => real.reduce((sum, { op }) => sum + (fits.test(op) ? bytesOf(op) : 0), 0);
  return {
    instructions: real.length,
    multiplyAdds: real.reduce((sum, { op }) => sum + lanesWork(op), 0),
    multiplyAddInstructions: number((op) => lanesWork(op) > 0),
    vector: number((op) => op.startsWith("v_")),
    lds: number((op) => op.startsWith("ds_")),
    ldsBytes: bytes(/^ds_/),
    memory: number((op) => ON_BUFFERS.test(op)),
    memoryBytes: bytes(ON_BUFFERS),
    scalar: number((op) => op.startsWith("s_")),
    divisions: divisionsIn(real),
    multiplications: number((op) => SLOW_MULTIPLY.test(op)),
    transcendental: number((op) => TRANSCENDENTAL.test(op)),
    matrix: number((op) => MATRIX.test(op)),
  };
}

/**
 * There is no instruction for integer division: the divisor is converted to a float, its reciprocal scaled to 32 bits and
 * converted back. Such a chain of registers is what is counted; a float's division is not converted back.
 */
function divisionsIn(code: readonly Instruction[]): number {
  const held = new Map<string, "converted" | "reciprocal">();
  let divisions = 0;
  for (const { op, operands } of code) {
    const [target = "", ...sources] = operands;
    const reads = (what: "converted" | "reciprocal"): boolean => sources.some((source) => held.get(source) === what);
    const isReciprocal =
      (/^v_(?:s_)?rcp_(?:iflag_)?f32/.test(op) && reads("converted")) || (/^v_mul_f32/.test(op) && reads("reciprocal"));
    if (/^v_cvt_u32_f32/.test(op) && reads("reciprocal")) divisions += 1;
    if (isReciprocal) held.set(target, "reciprocal");
    else if (/^v_cvt_f32_[ui]32/.test(op)) held.set(target, "converted");
    else held.delete(target);
  }
  return divisions;
}

/** The share of a kernel's multiply-adds that a loop has to hold to be where the work is. */
const MOST_OF_THE_WORK = 0.25;

/**
 * Where a kernel spends its time: the smallest of the loops with the most multiply-adds (or products of matrices).
 * Without such the innermost that reads or writes buffers, else any innermost, with the most work; the whole kernel where
 * it has no loop, or does its multiply-adds outside of all.
 */
export function hottestLoop(listing: string): Loop {
  const blocks = blocksOf(listing);
  const loops = loopsOf(blocks);
  const lines = listing.split("\n").length;
  const whole: Loop = { ...countsOf(blocks.flatMap(({ code }) => code)), whole: 1, from: 0, to: lines - 1 };
  const multiplies = ({ multiplyAdds, matrix }: Counts): number => multiplyAdds + 1024 * matrix;
  const most = Math.max(0, ...loops.map(multiplies));
  if (most < MOST_OF_THE_WORK * multiplies(whole)) return whole;
  if (most > 0)
    return best(
      loops.filter((loop) => multiplies(loop) === most),
      ({ instructions }) => -instructions,
      whole,
    );
  const innermost = loops.filter((loop) => !loops.some((other) => other !== loop && isInside(other, loop)));
  const reaching = innermost.filter(({ memory }) => memory > 0);
  const work = ({ vector, lds, memory }: Counts): number => vector + lds + memory;
  return best(reaching.length > 0 ? reaching : innermost, work, whole);
}

const isInside = (inner: Loop, outer: Loop): boolean =>
  inner.from >= outer.from && inner.to <= outer.to && inner.to - inner.from < outer.to - outer.from;

/** The first of the largest by a measure; `otherwise` where there are none. */
const best = (loops: readonly Loop[], measure: (loop: Loop) => number, otherwise: Loop): Loop =>
  loops.reduce<Loop | null>((found, next) => (found && measure(found) >= measure(next) ? found : next), null) ??
  otherwise;

/** Every branch to an earlier block closes a loop. */
function loopsOf(blocks: readonly Block[]): Loop[] {
  const places = new Map(blocks.map(({ name }, i) => [name, i]));
  return blocks.flatMap(({ code }, end) =>
    code.flatMap(({ op, operands, line }) => {
      const start = /^s_c?branch/.test(op) ? places.get(operands.at(-1) ?? "") : undefined;
      if (start === undefined || start > end) return [];
      const inside = blocks.slice(start, end).flatMap((block) => block.code);
      const last = code.slice(0, code.findIndex((one) => one.line === line) + 1);
      return [{ ...countsOf([...inside, ...last]), whole: 0 as const, from: blocks[start]?.line ?? 0, to: line }];
    }),
  );
}

/** The listing with its hottest loop marked at the margin, for reading. */
export function markLoop(listing: string): string {
  const { whole, from, to } = hottestLoop(listing);
  return listing
    .split("\n")
    .map((text, line) => `${whole === 0 && line >= from && line <= to ? "| " : "  "}${text.replace(/\s*;.*$/, "")}`)
    .join("\n");
}
