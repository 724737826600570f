/**
 * A folder of data somebody else may have packed: only regular files below its root are touched. Links and lists that
 * lead elsewhere are refused, not followed.
 */
import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { InputError } from "../errors.js";
import { reason } from "../io/file_source.node.js";

const PICTURE = /\.(png|jpe?g|webp)$/i;

/** Whether a file's name is that of a picture. */
export const isPicture = (name: string): boolean => PICTURE.test(name);

export class DataRoot {
  private constructor(
    readonly path: string,
    private readonly real: string,
  ) {}

  /** @throws InputError where there is no such folder */
  static async open(path: string): Promise<DataRoot> {
    const found = await stat(path).catch((cause: unknown) => {
      throw new InputError(`${path}: cannot be opened (${reason(cause)})`, { cause });
    });
    if (!found.isDirectory()) throw new InputError(`${path}: is not a folder`);
    return new DataRoot(path, await realpath(path));
  }

  /** Files and folders in a folder below the root; null where there is no such folder. Names that begin with a dot are left out. */
  async list(...parts: readonly string[]): Promise<Listing | null> {
    const folder = join(this.path, ...parts);
    const found = await stat(folder).catch(() => null);
    if (!found?.isDirectory()) return null;
    await this.assertInside(folder);
    const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
      throw new InputError(`${folder}: cannot be read (${reason(cause)})`, { cause });
    });
    return new Listing(this, folder, entries);
  }

  /** @throws InputError where the path, its links followed, leads out of the root or nowhere */
  async assertInside(path: string): Promise<void> {
    const real = await realpath(path).catch((cause: unknown) => {
      throw new InputError(`${path}: is a link that leads nowhere (${reason(cause)})`, { cause });
    });
    if (real === this.real || real.startsWith(this.real + sep)) return;
    throw new InputError(`${path}: is a link that leads out of ${this.path}, to ${real}; copy the file in its place`);
  }
}

export class Listing {
  /** Sorted. */
  readonly files: readonly string[];
  readonly folders: readonly string[];
  private readonly links: ReadonlySet<string>;
  private readonly known: ReadonlySet<string>;

  constructor(
    private readonly root: DataRoot,
    readonly folder: string,
    entries: readonly Dirent[],
  ) {
    const shown = entries.filter(({ name }) => !name.startsWith("."));
    const names = (of: readonly Dirent[]): string[] => of.map(({ name }) => name).sort();
    const links = shown.filter((entry) => entry.isSymbolicLink());
    this.files = names([...shown.filter((entry) => entry.isFile()), ...links]);
    this.folders = names([...shown.filter((entry) => entry.isDirectory()), ...links]);
    this.links = new Set(names(links));
    this.known = new Set(this.files);
  }

  has(name: string): boolean {
    return this.known.has(name);
  }

  /** The path of a file that is listed. @throws InputError where it is a link out of the root, or not to a file */
  async path(name: string): Promise<string> {
    const path = join(this.folder, name);
    if (!this.links.has(name)) return path;
    await this.root.assertInside(path);
    if (!(await stat(path)).isFile()) throw new InputError(`${path}: is not a regular file`);
    return path;
  }
}
