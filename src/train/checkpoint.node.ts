/**
 * The folder of a run's checkpoints. A save that is cut anywhere, by a full disk or by SIGKILL, leaves what was there
 * before: the new file is written under another name, synced, renamed, its folder synced; only then do older ones go.
 */
import * as fsPromises from "node:fs/promises";
import { join } from "node:path";
import { InputError, WeightsError } from "../errors.js";
import { reason, withFileSource } from "../io/file_source.node.js";
import { type FileSystem, writeFully } from "../io/file_system.node.js";
import { type Checkpoint, parseCheckpoint, serializeCheckpoint } from "./checkpoint_format.node.js";

const CHECKPOINT = /^step-(\d{9,})\.safetensors$/;
const OURS = /^\.?step-\d+\.safetensors(\.tmp)?$/;
/** The newest, and one to fall back to. */
const KEPT = 2;

export class CheckpointFolder {
  /** Files that this process wrote or read whole, oldest first. */
  private readonly sound: string[] = [];

  constructor(
    readonly folder: string,
    private readonly fs: FileSystem = fsPromises,
  ) {}

  /**
   * @returns the path written
   * @throws InputError when the system refuses; every earlier checkpoint is then still there
   */
  async save(checkpoint: Checkpoint): Promise<string> {
    const { step } = checkpoint.state.progress;
    const name = `step-${String(step).padStart(9, "0")}.safetensors`;
    const path = join(this.folder, name);
    try {
      await this.fs.mkdir(this.folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EEXIST") throw error;
      });
      await this.write(path, join(this.folder, `.${name}.tmp`), serializeCheckpoint(checkpoint));
    } catch (cause) {
      const last = this.sound.at(-1);
      const kept = last === undefined ? "" : `; ${last} is kept: continue from it with --resume once this is mended`;
      throw new InputError(`${path}: the checkpoint cannot be written (${reason(cause)})${kept}`, { cause });
    }
    this.remember(name);
    await this.removeOthers();
    return path;
  }

  /**
   * The newest checkpoint that is sound; null where there is none at all.
   * @param warn told which ones were passed over, and why
   * @throws WeightsError when there are some and all are damaged
   */
  async load(warn: (line: string) => void): Promise<Checkpoint | null> {
    const names = (await this.list()).filter((name) => CHECKPOINT.test(name)).sort((a, b) => stepOf(b) - stepOf(a));
    const complaints: string[] = [];
    for (const name of names) {
      const path = join(this.folder, name);
      try {
        const bytes = await withFileSource(path, (source) => source.read(0, source.size));
        const checkpoint = parseCheckpoint(bytes, path);
        for (const complaint of complaints) warn(`${complaint}; falling back to ${name}`);
        this.remember(name);
        return checkpoint;
      } catch (error) {
        if (!(error instanceof InputError || error instanceof WeightsError)) throw error;
        complaints.push(error.message);
      }
    }
    if (complaints.length > 0)
      throw new WeightsError(`${this.folder}: no checkpoint can be read: ${complaints.join("; ")}`);
    return null;
  }

  private async list(): Promise<string[]> {
    return this.fs.readdir(this.folder).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") return [];
      throw new InputError(`${this.folder}: cannot be read (${reason(cause)})`, { cause });
    });
  }

  private remember(name: string): void {
    if (this.sound.at(-1) !== name) this.sound.push(name);
    this.sound.splice(0, this.sound.length - KEPT);
  }

  /** What cannot be removed now is tried again after the next save. */
  private async removeOthers(): Promise<void> {
    for (const name of await this.list().catch(() => [])) {
      if (OURS.test(name) && !this.sound.includes(name)) await this.fs.unlink(join(this.folder, name)).catch(() => {});
    }
  }

  private async write(path: string, temporary: string, bytes: Uint8Array): Promise<void> {
    try {
      const file = await this.fs.open(temporary, "w");
      try {
        await writeFully(file, bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.fs.rename(temporary, path);
    } catch (error) {
      await this.fs.unlink(temporary).catch(() => {});
      throw error;
    }
    await this.syncFolder();
  }

  /** Makes the rename itself durable, where the system lets a folder be opened and synced. */
  private async syncFolder(): Promise<void> {
    try {
      const handle = await this.fs.open(this.folder, "r");
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (!UNSYNCABLE.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
}

const UNSYNCABLE = new Set(["EISDIR", "EINVAL", "ENOTSUP", "EPERM"]);

const stepOf = (name: string): number => Number(CHECKPOINT.exec(name)?.[1]);
