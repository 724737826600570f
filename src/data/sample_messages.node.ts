/** What goes between the loader and its threads. */
import { InputError, S2amError, UsageError } from "../errors.js";
import type { Sample } from "./augment.js";
import type { Entry } from "./dataset.js";
import type { Preparation, SampleReader } from "./sample_reader.node.js";

export interface SampleRequest {
  readonly id: number;
  readonly entry: Entry;
  readonly preparation: Preparation;
}

export type SampleReply =
  | { readonly id: number; readonly sample: Sample }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string } };

export async function answer(reader: SampleReader, { id, entry, preparation }: SampleRequest): Promise<SampleReply> {
  try {
    return { id, sample: await reader.read(entry, preparation) };
  } catch (error) {
    // Errors lose their class on the way between threads.
    const code = error instanceof S2amError ? error.code : "";
    const ours = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { id, error: { code, message: error instanceof S2amError ? error.message : `${entry.name}: ${ours}` } };
  }
}

export function errorOf({ code, message }: { readonly code: string; readonly message: string }): Error {
  if (code === "INPUT") return new InputError(message);
  if (code === "USAGE") return new UsageError(message);
  return new Error(message);
}

/** The memory that can be handed over instead of copied. */
export const buffersOf = ({ composite, mask, target }: Sample): ArrayBuffer[] =>
  [composite, mask, target].map(({ data }) => data.buffer as ArrayBuffer);
