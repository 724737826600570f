/** Takes apart what RADV_DEBUG=asm,shaderstats prints between the marks of one kernel. */

export interface Statistics {
  readonly vgprs: number;
  readonly sgprs: number;
  readonly spilledVgprs: number;
  readonly spilledSgprs: number;
  /** Bytes a lane. */
  readonly scratch: number;
  /** Bytes a workgroup. */
  readonly lds: number;
  /** Subgroups that a SIMD holds at once; on RDNA one of 64 threads counts as two. */
  readonly waves: number;
  readonly codeBytes: number;
  /** Threads of a subgroup: 32 or 64. */
  readonly lanes: number;
}

export interface KernelOutput {
  readonly id: number;
  readonly listing: string;
  /** Null where the driver printed none. */
  readonly statistics: Statistics | null;
}

/** @param text what the process printed on stderr */
export function parseOutput(text: string): KernelOutput[] {
  return [...text.matchAll(/^##BEGIN (\d+)\n(.*?)^##END \1$/gms)].map(([, id, body = ""]) => {
    const listing = /^disasm:\n(.*?)\n\s*\n/ms.exec(body)?.[1] ?? "";
    return { id: Number(id), listing, statistics: parseStatistics(body, listing) };
  });
}

/** What was printed outside of all kernels: where a driver says why it gives up. */
export const outsideOf = (text: string): string => text.replace(/^##BEGIN (\d+)\n(?:.*?^##END \1$|.*)/gms, "").trim();

function parseStatistics(body: string, listing: string): Statistics | null {
  const part = /\*\*\* SHADER STATS \*\*\*\n(.*?)\*{10}/s.exec(body)?.[1];
  if (part === undefined) return null;
  const number = (label: string): number => {
    const found = new RegExp(`^${label}: (\\d+)$`, "m").exec(part)?.[1];
    if (found === undefined) throw new Error(`RADV's statistics have no line "${label}": another Mesa than 25?`);
    return Number(found);
  };
  return {
    vgprs: number("VGPRs"),
    sgprs: number("SGPRs"),
    spilledVgprs: number("Spilled VGPRs"),
    spilledSgprs: number("Spilled SGPRs"),
    scratch: number("Scratch size"),
    lds: number("LDS size"),
    waves: number("Subgroups per SIMD"),
    codeBytes: number("Code size"),
    lanes: lanesOf(listing),
  };
}

/** The masks of a subgroup of 64 are pairs of registers; half of such a pair is a scalar like any other. */
const lanesOf = (listing: string): number =>
  /\b(?:exec|vcc)_lo\b/.test(listing) && !/\b(?:exec|vcc)\b/.test(listing) ? 32 : 64;
