/** The three files of an example, decoded and found to belong together. */
import { InputError } from "../errors.js";
import { decodeImage, readSize } from "../image/codec.node.js";
import type { Image } from "../image/image.js";
import { type Mask, maskFromImage } from "../image/mask.js";
import type { Size } from "../image/resize.js";
import type { Entry } from "./dataset.js";

export interface Triple {
  readonly composite: Image;
  readonly mask: Mask;
  readonly target: Image;
}

/** @throws InputError where one cannot be read, or is of another size than the composite */
export async function readTriple(entry: Entry): Promise<Triple> {
  const { composite, mask, target } = await ofEach(entry, (path) => decodeImage(path));
  assertSameSize(entry, { composite, mask, target });
  return { composite, mask: maskFromImage(mask), target };
}

const FILES = ["composite", "mask", "target"] as const;
type OfEach<T> = Readonly<Record<(typeof FILES)[number], T>>;

/** All three at once; of several that fail, the first is told, whichever failed first. */
async function ofEach<T>(entry: Entry, read: (path: string) => Promise<T>): Promise<OfEach<T>> {
  const [composite, mask, target] = FILES.map((file) => read(entry[file]));
  await Promise.allSettled([composite, mask, target]);
  return { composite: await composite, mask: await mask, target: await target } as OfEach<T>;
}

function assertSameSize(entry: Entry, sizes: OfEach<Size>): void {
  const { composite } = sizes;
  for (const other of ["mask", "target"] as const) {
    const { width, height } = sizes[other];
    if (width === composite.width && height === composite.height) continue;
    throw new InputError(
      `${entry[other]} is ${width} x ${height} pixels, its composite ${entry.composite} ${composite.width} x ${composite.height}: they must be the same size`,
    );
  }
}

export interface CheckOptions {
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** So many examples are looked at together; more would only wait for the disk. */
const TOGETHER = 32;

/**
 * Looks at every file's header. What a header makes doubtful is decoded before it is called wrong.
 * @throws InputError naming the first example's file that cannot be read, or whose size is not its composite's
 */
export async function checkEntries(entries: readonly Entry[], { onProgress }: CheckOptions = {}): Promise<void> {
  for (let done = 0; done < entries.length; done += TOGETHER) {
    onProgress?.({ done, total: entries.length });
    const some = entries.slice(done, done + TOGETHER);
    const doubts = await Promise.all(some.map((entry) => looksRight(entry).then((right) => (right ? null : entry))));
    for (const entry of doubts) if (entry) await readTriple(entry);
  }
  onProgress?.({ done: entries.length, total: entries.length });
}

async function looksRight(entry: Entry): Promise<boolean> {
  try {
    assertSameSize(entry, await ofEach(entry, readSize));
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}
