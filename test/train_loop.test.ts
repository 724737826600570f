/** The loop of a training, on a step that needs no GPU: what it saves and validates when, and that a cut leaves no trace. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AbortedError, DivergedError } from "../src/errors.js";
import type { HostTensor } from "../src/io/tensor_data.js";
import { freshProgress, type Progress } from "../src/train/progress.js";
import {
  type StepRecord,
  Trainer,
  type TrainerOptions,
  type TrainerParts,
  type ValidationRecord,
} from "../src/train/trainer.js";
import { fakeSource, fakeStep } from "./helpers/fake_training.js";

const OPTIONS: TrainerOptions = {
  steps: 10,
  lr: (step) => 0.1 / (1 + step),
  validateEvery: 1,
  saveEvery: 4,
  maxSkipped: 5,
  average: false,
  images: 2,
};

interface Saved {
  progress: Progress;
  tensors: Map<string, HostTensor>;
}

interface Run {
  outcome: string;
  steps: StepRecord[];
  validations: ValidationRecord[];
  saves: Saved[];
  best: number[];
  weights: Float32Array;
}

interface Setup {
  options?: Partial<TrainerOptions>;
  parts?: Partial<TrainerParts>;
  from?: Saved | undefined;
  spoilt?: (step: number) => boolean;
  /** Fires the signal as this step is logged. */
  stopAt?: number;
}

async function train({ options, parts, from, spoilt, stopAt }: Setup = {}): Promise<Run> {
  const step = fakeStep(spoilt);
  if (from) step.restore(from.tensors);
  const stop = new AbortController();
  const run: Run = { outcome: "", steps: [], validations: [], saves: [], best: [], weights: step.w };
  const progress = structuredClone(from?.progress ?? freshProgress());
  const all: TrainerParts = {
    step,
    source: fakeSource(),
    validate: async (weights) => {
      const values = new Float32Array(weights.get("w")?.data.slice().buffer ?? new ArrayBuffer(0));
      return { psnr: 30 - values.reduce((sum, value) => sum + value, 0), ssim: 1, mse: 1, fmse: 1 };
    },
    save: async (state) => void run.saves.push({ progress: structuredClone(state), tensors: step.state() }),
    saveBest: async (_, record) => void run.best.push(record.step),
    onStep: (record) => {
      run.steps.push(record);
      if (record.step === stopAt) stop.abort();
    },
    onValidation: (record) => void run.validations.push(record),
    ...parts,
  };
  run.outcome = await new Trainer(all, { ...OPTIONS, ...options }, progress, from !== undefined).run(stop.signal);
  return run;
}

const stepsOf = (records: readonly { step: number }[]): number[] => records.map(({ step }) => step);
const savesOf = ({ saves }: Run): number[] => stepsOf(saves.map(({ progress }) => progress));

describe("a whole run", () => {
  test("saves at the start, every N steps and at the end; validates every epoch and at the end", async () => {
    const run = await train();
    expect(run.outcome).toBe("finished");
    expect(stepsOf(run.steps)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(savesOf(run)).toEqual([0, 4, 8, 10]);
    expect(stepsOf(run.validations)).toEqual([3, 6, 9, 10]);
    expect(run.steps[3]).toMatchObject({ epoch: 2, lr: 0.1 / 4, images: 2, skipped: false });
    expect(run.best).toEqual(stepsOf(run.validations.filter(({ isBest }) => isBest)));
    expect(run.saves.at(-1)?.progress).toMatchObject({
      step: 10,
      updates: 10,
      validatedStep: 10,
      best: { step: run.best.at(-1) },
    });
  });

  test("unsaid, the saves come once a minute", async () => {
    let minutes = 0;
    const now = (): number => minutes++ * 60_000;
    expect(savesOf(await train({ options: { saveEvery: null, steps: 4, validateEvery: 9 }, parts: { now } }))).toEqual([
      0, 1, 2, 3, 4,
    ]);
    expect(savesOf(await train({ options: { saveEvery: null, steps: 4 } }))).toEqual([0, 4]);
  });
});

describe("a run that is cut and resumed", () => {
  const unbroken = train();

  test("goes on from any save to the same bits", async () => {
    const whole = await unbroken;
    for (const from of whole.saves) {
      const rest = await train({ from });
      expect(rest.weights).toEqual(whole.weights);
      expect(rest.steps.map(({ step, loss, lr, epoch }) => [step, loss, lr, epoch])).toEqual(
        whole.steps.slice(from.progress.step).map(({ step, loss, lr, epoch }) => [step, loss, lr, epoch]),
      );
      expect(rest.saves.at(-1) ?? from).toEqual(whole.saves.at(-1));
    }
  });

  test("interrupted at any steps, it ends in the same bits", async () => {
    const whole = await unbroken;
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 4 }), async (cuts) => {
        let from: Saved | undefined;
        for (const stopAt of cuts.sort((a, b) => a - b)) {
          const part = await train({ from, stopAt });
          expect(part.outcome).toBe("interrupted");
          expect(savesOf(part).at(-1)).toBe(stopAt);
          from = part.saves.at(-1);
        }
        const last = await train({ from });
        expect(last.weights).toEqual(whole.weights);
        expect(last.saves.at(-1)).toEqual(whole.saves.at(-1));
      }),
      { numRuns: 30 },
    );
  });

  test("a validation that was cut is made again", async () => {
    const whole = await unbroken;
    const stop = new AbortController();
    const validate = async (): Promise<never> => {
      stop.abort();
      throw new AbortedError();
    };
    const step = fakeStep();
    const saves: Saved[] = [];
    const nothing = async (): Promise<void> => undefined;
    const save = async (progress: Progress) =>
      void saves.push({ progress: structuredClone(progress), tensors: step.state() });
    const parts = {
      step,
      source: fakeSource(),
      validate,
      save,
      saveBest: nothing,
      onStep: nothing,
      onValidation: nothing,
    };
    expect(await new Trainer(parts, OPTIONS, freshProgress(), false).run(stop.signal)).toBe("interrupted");
    expect(saves.at(-1)?.progress).toMatchObject({ step: 3, validatedStep: 0 });
    const rest = await train({ from: saves.at(-1) });
    expect(stepsOf(rest.validations)).toEqual([3, 6, 9, 10]);
    expect(rest.saves.at(-1)).toEqual(whole.saves.at(-1));
  });

  test("a finished run has nothing left to do", async () => {
    const again = await train({ from: (await unbroken).saves.at(-1) });
    expect(again).toMatchObject({ outcome: "finished", steps: [], saves: [], validations: [] });
  });

  test("errors of data, validation and saving come through", async () => {
    const broken = async (): Promise<never> => {
      throw new Error("on purpose");
    };
    await expect(train({ parts: { validate: broken } })).rejects.toThrow("on purpose");
    await expect(train({ parts: { save: broken } })).rejects.toThrow("on purpose");
    const source = { batches: () => ({ next: broken }) };
    await expect(train({ parts: { source } })).rejects.toThrow("on purpose");
  });
});

describe("steps that are not finite", () => {
  test("are skipped, and the updates do not count them", async () => {
    const run = await train({ spoilt: (step) => step === 2 || step === 5 });
    expect(stepsOf(run.steps.filter(({ skipped }) => skipped))).toEqual([2, 5]);
    expect(run.saves.at(-1)?.progress).toMatchObject({ step: 10, updates: 8, skippedInARow: 0 });
  });

  test("end the training after five in a row, with the last good state kept", async () => {
    const saves: number[] = [];
    const save = async ({ step }: Progress) => void saves.push(step);
    const run = train({ spoilt: (step) => step > 5, options: { saveEvery: 1 }, parts: { save } });
    await expect(run).rejects.toThrow(DivergedError);
    await expect(run).rejects.toThrow(
      /step 10: 5 steps in a row.*gradient of w.*learning rate of 0.01\d*; the checkpoint of step 5 is kept.*--lr/,
    );
    expect(saves).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("at the very end are judged by the validation", async () => {
    const spoilt = (step: number): boolean => step > 8;
    const good = await train({ spoilt });
    expect(good.saves.at(-1)?.progress).toMatchObject({ step: 10, updates: 8 });
    const validate = async () => ({ psnr: Number.NaN, ssim: Number.NaN, mse: Number.NaN, fmse: Number.NaN });
    await expect(train({ spoilt, parts: { validate } })).rejects.toThrow(/not finite; the checkpoint of step 8/);
  });

  test("a loss that is not finite counts, gradients or not", async () => {
    const step = fakeStep();
    const inner = step.step.bind(step);
    step.step = async (...args) => ({ ...(await inner(...args)), loss: Number.POSITIVE_INFINITY });
    await expect(train({ parts: { step } })).rejects.toThrow(/the loss/);
  });
});
