/**
 * The folder of one training: config.json, log.csv, events.out.tfevents.*, report.html, last.safetensors and
 * best.safetensors, and checkpoints/. Whatever a run leaves behind when it is killed, the next one goes on from.
 */
import { constants } from "node:fs";
import { access, type FileHandle, mkdir, open, readdir, readFile, stat, truncate } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { InputError, UsageError } from "../errors.js";
import { reason } from "../io/file_source.node.js";
import { writeFileAtomic } from "../io/file_write.node.js";
import { serializeSafetensors } from "../io/safetensors.js";
import type { HostTensor } from "../io/tensor_data.js";
import { CheckpointFolder } from "./checkpoint.node.js";
import {
  CSV_HEADER,
  type History,
  parseHistory,
  type TrainRow,
  trainLine,
  type ValidationRow,
  validationLine,
} from "./history.js";
import type { Progress } from "./progress.js";
import { type PngPicture, pictureRecord, scalarsRecord, startRecord, versionRecord } from "./tensorboard.js";

export class RunFolder {
  readonly checkpoints: CheckpointFolder;
  private readonly train: TrainRow[] = [];
  private readonly validation: ValidationRow[] = [];
  private log: FileHandle | undefined;
  private events: FileHandle | undefined;

  constructor(readonly path: string) {
    this.checkpoints = new CheckpointFolder(join(path, "checkpoints"));
  }

  /**
   * To be asked before long work; changes nothing.
   * @returns whether there is anything in the folder
   * @throws InputError where it cannot be made or written to
   */
  async inspect(): Promise<boolean> {
    const path = resolve(this.path);
    let existing = path;
    let found = await stat(existing).catch(() => null);
    for (; !found; found = await stat(existing).catch(() => null)) existing = dirname(existing);
    if (!found.isDirectory()) {
      throw new InputError(`${this.path}: ${existing === path ? "is" : `${existing} is`} not a folder`);
    }
    await access(existing, constants.W_OK).catch((cause: unknown) => {
      throw new InputError(`${this.path}: cannot be written (${reason(cause)})`, { cause });
    });
    return existing === path && (await readdir(path)).length > 0;
  }

  /** @throws UsageError where there is something in the folder already */
  async assertFresh(): Promise<void> {
    if (!(await this.inspect())) return;
    throw new UsageError(
      `${this.path}: is not empty; continue the run in it with --resume ${this.path}, or name another folder`,
    );
  }

  /** Makes the folder and writes the settings. */
  async begin(config: unknown): Promise<void> {
    await makeFolder(resolve(this.path)).catch((cause: unknown) => {
      throw new InputError(`${this.path}: cannot be made (${reason(cause)})`, { cause });
    });
    await writeFileAtomic(
      join(this.path, "config.json"),
      new TextEncoder().encode(`${JSON.stringify(config, null, 2)}\n`),
    );
  }

  /** Opens the logs; what they hold of steps after `progress`, which will be taken again, is cut off. */
  async openLogs({ step, validatedStep }: Progress): Promise<void> {
    const path = join(this.path, "log.csv");
    const text = await readFile(path, "latin1").catch(() => "");
    const { history, length } = parseHistory(text, step, validatedStep);
    this.train.push(...history.train);
    this.validation.push(...history.validation);
    if (text.length > length) await this.attempt("log.csv", () => truncate(path, length));
    this.log = await this.attempt("log.csv", () => open(path, "a"));
    if (length === 0) await this.append(this.log, CSV_HEADER);
    const name = `events.out.tfevents.${Math.floor(seconds())}.${process.pid}`;
    this.events = await this.attempt(name, () => open(join(this.path, name), "a"));
    await this.append(this.events, versionRecord(seconds()));
    if (step > 0) await this.append(this.events, startRecord(seconds(), step + 1));
  }

  /** All rows so far, those before a resumption too. */
  get history(): History {
    return { train: this.train, validation: this.validation };
  }

  async logStep(row: TrainRow): Promise<void> {
    this.train.push(row);
    await this.append(this.log, trainLine(row));
    const { loss, lr, gradientNorm, imagesPerSecond } = row;
    const scalars = { loss, learning_rate: lr, gradient_norm: gradientNorm, images_per_second: imagesPerSecond };
    await this.append(this.events, scalarsRecord(seconds(), row.step, scalars));
  }

  async logValidation(row: ValidationRow): Promise<void> {
    this.validation.push(row);
    await this.append(this.log, validationLine(row));
    const { psnr, ssim, mse, fmse } = row;
    await this.append(
      this.events,
      scalarsRecord(seconds(), row.step, { "val/psnr": psnr, "val/ssim": ssim, "val/mse": mse, "val/fmse": fmse }),
    );
  }

  async logPicture(step: number, tag: string, picture: PngPicture): Promise<void> {
    await this.append(this.events, pictureRecord(seconds(), step, tag, picture));
  }

  async writeWeights(
    which: "last" | "best",
    tensors: ReadonlyMap<string, HostTensor>,
    metadata: Readonly<Record<string, string>>,
  ): Promise<void> {
    await writeFileAtomic(join(this.path, `${which}.safetensors`), serializeSafetensors(tensors, metadata));
  }

  async writeReport(html: string): Promise<void> {
    await writeFileAtomic(join(this.path, "report.html"), new TextEncoder().encode(html));
  }

  async close(): Promise<void> {
    await this.log?.close();
    await this.events?.close();
  }

  private async append(file: FileHandle | undefined, data: string | Uint8Array): Promise<void> {
    if (!file) throw new Error("RunFolder: openLogs() comes first");
    await this.attempt(file === this.log ? "log.csv" : "events.out.tfevents", () => file.appendFile(data));
  }

  private attempt<T>(name: string, write: () => Promise<T>): Promise<T> {
    return write().catch((cause: unknown) => {
      throw new InputError(`${join(this.path, name)}: cannot be written (${reason(cause)})`, { cause });
    });
  }
}

/** With the folders above it. Node's own recursive form never returns under /proc. */
async function makeFolder(path: string): Promise<void> {
  if ((await stat(path).catch(() => null))?.isDirectory()) return;
  const parent = dirname(path);
  if (parent !== path) await makeFolder(parent);
  await mkdir(path);
}

const seconds = (): number => Date.now() / 1000;
