/**
 * The folder of a comparison, and the runs in it: `runs/NAME` as `s2am train` leaves them, `measured/NAME.json` of each
 * that is complete. A run that was cut goes on; one that is complete is not repeated.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { MeansByShare as Measures } from "../../src/cli/eval_summary.js";
import { AbortedError, InputError, UsageError } from "../../src/errors.js";
import { writeFileAtomic } from "../../src/io/file_write.node.js";
import { parameterShapes } from "../../src/model/weights.js";
import { inOrder } from "./aggregate.js";
import { type RunRecord, readLog, runName } from "./record.js";
import { type Budget, checkSameBudget, evalArgs, modelOf, type Place, trainArgs } from "./settings.js";
import type { Variant } from "./variants.js";

/** Runs the command line. @returns its JSON document; throws a CommandError where it fails */
export type Command = (args: readonly string[], onEvent: (event: StepEvent) => void) => Promise<unknown>;

/** What a training tells of itself while it runs. */
export interface StepEvent {
  readonly event: string;
  readonly step?: number;
  readonly steps?: number;
  readonly imagesPerSecond?: number;
  readonly secondsLeft?: number;
  readonly message?: string;
}

/** The command line ended with an error that it has named. */
export class CommandError extends Error {}

export interface RunOptions extends Place {
  readonly folder: string;
  readonly budget: Budget;
  readonly command: Command;
  /** SHA-256 of the command line's code. */
  readonly build: string;
  readonly say: (line: string) => void;
  readonly now?: () => number;
}

/** Seconds from one line of progress to the next. */
const TELL_SECONDS = 60;

export class Comparison {
  constructor(private readonly options: RunOptions) {}

  /**
   * Makes the folder, or finds in it runs of the same budget.
   * @throws UsageError where it holds another comparison, or something else
   */
  static async prepare(folder: string, budget: Budget): Promise<void> {
    const path = join(folder, "budget.json");
    const text = await readFile(path, "utf8").catch(() => null);
    if (text !== null) return checkSameBudget(folder, parse(text, path) as Budget, budget);
    const there = await readdir(folder).catch(() => []);
    if (there.length > 0)
      throw new UsageError(`${folder}: holds something else than a comparison; name another folder`);
    for (const part of ["runs", "measured"]) await mkdir(join(folder, part), { recursive: true });
    await writeJson(path, budget);
  }

  /** Of a run that is complete; else null. */
  async record(variant: Variant, seed: number): Promise<RunRecord | null> {
    return readRecord(join(this.options.folder, "measured", `${runName(variant, seed)}.json`));
  }

  /** @throws CommandError where it fails; AbortedError where it was asked to stop, and has saved */
  async complete(variant: Variant, seed: number): Promise<RunRecord> {
    const known = await this.record(variant, seed);
    if (known) return known;
    const { folder, budget, command, build, say, now = () => performance.now() } = this.options;
    const name = runName(variant, seed);
    const run = join(folder, "runs", name);
    let told = Number.NEGATIVE_INFINITY;
    const summary = (await command(trainArgs(variant, seed, budget, this.options, run), (event) => {
      if (event.event === "warning") say(`${name}: ${event.message}`);
      if (event.event !== "step" || now() - told < TELL_SECONDS * 1000) return;
      told = now();
      const { step, steps, imagesPerSecond = 0, secondsLeft = 0 } = event;
      say(
        `${name}: step ${step} of ${steps}, ${imagesPerSecond.toFixed(1)} images/s, ${Math.ceil(secondsLeft / 60)} min left`,
      );
    })) as TrainSummary;
    if (summary.outcome !== "finished") throw new AbortedError(`${name}: stopped after step ${summary.step}`);
    const [whole, pasted] = [await this.measure(name, false), await this.measure(name, true)];
    const { step, curves } = await readLog(run, summary.batch * summary.accumulate);
    const record: RunRecord = {
      variant,
      seed,
      budget,
      parameters: parametersOf(variant, budget),
      build,
      adapter: whole.adapter,
      date: new Date().toISOString(),
      batch: summary.batch,
      step,
      whole: measuresOf(whole),
      pasted: measuresOf(pasted),
      curves,
    };
    await writeJson(join(folder, "measured", `${name}.json`), record);
    return record;
  }

  private async measure(name: string, pasted: boolean): Promise<Measures & { adapter: string }> {
    const { folder, budget, command } = this.options;
    const weights = join(folder, "runs", name, "last.safetensors");
    const csv = join(folder, "measured", `${name}-${pasted ? "pasted" : "whole"}.csv`);
    return (await command(evalArgs(weights, csv, pasted, budget, this.options), () => {})) as never;
  }
}

interface TrainSummary {
  readonly outcome: string;
  readonly step: number;
  readonly batch: number;
  readonly accumulate: number;
}

const measuresOf = ({ pictures, before, after, byShare }: Measures): Measures => ({ pictures, before, after, byShare });

function parametersOf(variant: Variant, budget: Budget): number {
  const shapes = [...parameterShapes(modelOf(variant, budget))].filter(([key]) => !key.includes(".running_"));
  return shapes.reduce((sum, [, shape]) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** Every record of a folder, in the paper's order. @throws InputError where there is none, or one is damaged */
export async function readRecords(folder: string): Promise<RunRecord[]> {
  const names = await readdir(join(folder, "measured")).catch(() => []);
  const files = names.filter((name) => name.endsWith(".json")).sort();
  const records = await Promise.all(files.map((name) => readRecord(join(folder, "measured", name))));
  const found = records.filter((record) => record !== null);
  if (found.length === 0) throw new InputError(`${folder}: holds no complete run to report on`);
  return inOrder(found);
}

async function readRecord(path: string): Promise<RunRecord | null> {
  const text = await readFile(path, "utf8").catch(() => null);
  return text === null ? null : (parse(text, path) as RunRecord);
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InputError(`${path}: is not JSON; remove it, and what it held is made again`, { cause });
  }
}

export const writeJson = (path: string, value: unknown): Promise<void> =>
  writeFileAtomic(path, new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`));

export const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/**
 * Keeps two comparisons, or one and a training that outlived it, out of one folder.
 * @param isAlive whether a process of that number runs
 * @returns what gives the folder free again
 */
export async function claim(
  folder: string,
  pid: number,
  isAlive: (pid: number) => boolean,
): Promise<{ readonly alsoFor: (child: number) => Promise<void>; readonly release: () => Promise<void> }> {
  const path = join(folder, "running.json");
  const text = await readFile(path, "utf8").catch(() => "[]");
  const owners = parse(text, path);
  const alive = Array.isArray(owners) ? owners.filter((owner) => Number.isInteger(owner) && isAlive(owner)) : [];
  if (alive.length > 0) {
    throw new UsageError(
      `${folder}: is being worked in, by process ${alive.join(", ")}: wait for it or end it (or, if that is none of this bench's, remove ${path})`,
    );
  }
  await writeJson(path, [pid]);
  return {
    alsoFor: (child) => writeJson(path, [pid, child]),
    release: () => rm(path, { force: true }),
  };
}
