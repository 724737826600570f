/**
 * The folder that composites are written to: pictures in the authors' layout and the manifest. However a run is stopped,
 * every line of the manifest stands for three whole files, and the next run goes on after the last.
 */
import { createHash } from "node:crypto";
import { type FileHandle, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { InputError, UsageError } from "../../errors.js";
import { reason } from "../../io/file_source.node.js";
import { type FileSystem, realFileSystem, writeFully } from "../../io/file_system.node.js";
import { type Entry, FOLDERS, FORMAT, type Header, PARTS, parseManifest } from "./manifest.js";
import { SPLITS, type Split, type SynthSpec } from "./spec.js";

const TEMPORARY = /^\..*\.tmp$/;

export interface Making {
  readonly spec: SynthSpec;
  readonly seed: number;
  readonly valShare: number;
  readonly part: Split | null;
  /** What is cut off the front of sources' paths: where they lie is nothing to the composites. */
  readonly roots: readonly string[];
}

export function headerOf({ spec, seed, valShare, part, roots }: Making): Header {
  const { kind, subjects, cutouts, masks, style, size, leastShare, mostShare, crop } = spec;
  const hash = createHash("sha256");
  const tell = (...what: readonly (string | number)[]): void => void hash.update(`${JSON.stringify(what)}\n`);
  const relative = (path: string): string =>
    roots.reduce((left, root) => (left.startsWith(root) ? left.slice(root.length) : left), path);
  for (const { name, split, files, annotation } of subjects) {
    tell(name, split, ...files.map(relative));
    if (annotation) tell(annotation.id, JSON.stringify(annotation.segmentation));
  }
  for (const path of cutouts) tell(relative(path));
  return {
    format: FORMAT,
    kind,
    seed,
    style,
    masks,
    size,
    leastShare,
    mostShare,
    crop,
    valShare,
    part,
    subjects: subjects.length,
    cutouts: cutouts.length,
    sources: hash.digest("hex").slice(0, 16),
  };
}

export class OutputFolder {
  private file: FileHandle | null = null;
  private length = 0;

  private constructor(
    readonly path: string,
    readonly manifest: string,
    private readonly fs: FileSystem,
  ) {}

  /**
   * Makes the folders, or takes up what is there.
   * @returns the folder, and the entries of composites that are there already
   * @throws UsageError where it holds something else, or composites made otherwise
   */
  static async open(
    path: string,
    header: Header,
    fs: FileSystem = realFileSystem,
  ): Promise<{ readonly folder: OutputFolder; readonly entries: readonly Entry[] }> {
    const name = header.part === null ? "manifest.jsonl" : `manifest.${header.part}.jsonl`;
    const folder = new OutputFolder(path, join(path, name), fs);
    const entries = await folder.takeUp(header);
    try {
      await folder.begin(header);
    } catch (error) {
      await folder.file?.close().catch(() => {});
      throw error;
    }
    return { folder, entries };
  }

  /** Adds lines for composites whose files are in place. A line that does not fit on the disk is taken back. */
  async append(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    const text = entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");
    await this.write(new TextEncoder().encode(text));
  }

  /** Syncs and closes. */
  async close(): Promise<void> {
    const { file } = this;
    this.file = null;
    if (!file) return;
    try {
      await this.attempt(() => file.sync());
    } finally {
      await file.close();
    }
  }

  private async takeUp(header: Header): Promise<Entry[]> {
    const there = await this.names(this.path);
    if (!there.includes(this.manifestName)) {
      const foreign = there.filter((one) => !this.isOurs(one, header.part !== null));
      if (foreign.length > 0) {
        throw new UsageError(`${this.path}: holds ${foreign[0]} and no ${this.manifestName}; name an empty folder`);
      }
      return [];
    }
    const bytes = await readFile(this.manifest).catch((cause: unknown) => {
      throw new InputError(`${this.manifest}: cannot be read (${reason(cause)})`, { cause });
    });
    const found = parseManifest(bytes, this.manifest);
    if (!found) return [];
    for (const [key, value] of Object.entries(header)) {
      const before = found.header[key as keyof Header];
      if (JSON.stringify(before) === JSON.stringify(value)) continue;
      throw new UsageError(
        `${this.manifest}: its composites were made with ${key} ${JSON.stringify(before)}, not ${JSON.stringify(value)}: name another folder, or say the same again to go on`,
      );
    }
    this.length = found.length;
    return this.wholeOnes(found.entries, bytes);
  }

  /** Up to the first whose files are gone or empty; what comes after is made again. */
  private async wholeOnes(entries: readonly Entry[], bytes: Uint8Array): Promise<Entry[]> {
    const isWhole = async (entry: Entry): Promise<boolean> => {
      if ("skipped" in entry) return true;
      const paths = FOLDERS.map((kind) => join(this.path, PARTS[entry.split], kind, entry.name));
      const found = await Promise.all(paths.map((path) => stat(path).catch(() => null)));
      return found.every((file) => file?.isFile() && file.size > 0);
    };
    for (const [i, entry] of entries.entries()) {
      if (await isWhole(entry)) continue;
      let end = bytes.indexOf(10) + 1;
      for (let k = 0; k < i; k++) end = bytes.indexOf(10, end) + 1;
      this.length = end;
      return entries.slice(0, i);
    }
    return [...entries];
  }

  private async begin(header: Header): Promise<void> {
    const parts = SPLITS.filter((split) => header.part === null || header.part === split).map((split) => PARTS[split]);
    const folders = [
      this.path,
      ...parts.flatMap((part) => ["", ...FOLDERS].map((kind) => join(this.path, part, kind))),
    ];
    for (const folder of folders) {
      await this.attempt(() => this.fs.mkdir(folder), folder, "EEXIST");
      // A picture that was under way when a run was killed.
      for (const name of await this.names(folder))
        if (TEMPORARY.test(name)) await this.fs.unlink(join(folder, name)).catch(() => {});
    }
    this.file = await this.attempt(() => this.fs.open(this.manifest, "a"));
    await this.attempt(async () => this.file?.truncate(this.length));
    if (this.length === 0) await this.write(new TextEncoder().encode(`${JSON.stringify(header)}\n`));
  }

  private async write(bytes: Uint8Array): Promise<void> {
    const { file } = this;
    if (!file) throw new Error("OutputFolder: is closed");
    try {
      await writeFully(file, bytes, null);
    } catch (cause) {
      await file.truncate(this.length).catch(() => {});
      throw this.unwritable(this.manifest, cause);
    }
    this.length += bytes.length;
  }

  private get manifestName(): string {
    return this.manifest.slice(this.path.length).replace(/^[/\\]/, "");
  }

  /** A run that was killed at its very beginning has made folders and no manifest; another part has its own. */
  private isOurs(name: string, hasParts: boolean): boolean {
    if (Object.values(PARTS).includes(name) || name.startsWith(".")) return true;
    return hasParts && /^(manifest\.(train|val)\.jsonl|contact_sheet.*\.html)$/.test(name);
  }

  private async names(folder: string): Promise<string[]> {
    return this.fs.readdir(folder).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") return [];
      throw new InputError(`${folder}: cannot be read (${reason(cause)})`, { cause });
    });
  }

  private attempt<T>(act: () => Promise<T>, path = this.manifest, except = ""): Promise<T | null> {
    return act().catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === except) return null;
      throw this.unwritable(path, cause);
    }) as Promise<T | null>;
  }

  private unwritable(path: string, cause: unknown): InputError {
    return new InputError(`${path}: cannot be written (${reason(cause)})`, { cause });
  }
}
