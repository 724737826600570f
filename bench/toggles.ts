/**
 * What each of dawn's toggles that `--unsafe-fast` sets gives: the same network on devices that differ in one, run in turn,
 * so that a machine that slows down slows all of them. Every device must compute the same bits.
 */
import type { AdapterDescription, OpenedDevice } from "../src/gpu/device.js";
import { openDevice, UNSAFE_FAST } from "../src/gpu/open_device.node.js";
import type { Plan } from "../src/graph/plan.js";
import { fillArray } from "../src/kernels/suite.js";
import type { ModelConfig } from "../src/model/config.js";
import { initialTensors } from "../src/model/init.js";
import { Network } from "../src/model/network.js";
import { loadModel } from "../src/model/weights.js";
import { summarize } from "./statistics.js";

export interface ToggleRow {
  readonly name: string;
  /** Wall time of a run, upload and read-back counted in. */
  readonly msMedian: number;
  readonly gpuMsMedian: number | null;
  /** Medians over rounds of this device's time by that of the one with every guard. */
  readonly ratio: number;
  /** First and third quartile of these. */
  readonly ratioQuartiles: readonly [number, number];
  readonly compileMs: number;
  readonly runs: number;
}

export interface ToggleBenchOptions {
  readonly config: ModelConfig;
  readonly size: number;
  readonly batch: number;
  readonly adapter?: string | undefined;
  readonly ms?: number;
  readonly log: (line: string) => void;
}

interface Contender {
  readonly name: string;
  readonly opened: OpenedDevice;
  readonly network: Network;
  readonly plan: Plan;
  readonly wall: number[];
  readonly gpu: number[];
}

const without = <Name extends string>(name: Name) => ({ enable: [] as Name[], disable: [name] });
const withToggle = <Name extends string>(name: Name) => ({ enable: [name], disable: [] as Name[] });

export async function benchToggles(
  options: ToggleBenchOptions,
): Promise<{ adapter: AdapterDescription | undefined; toggles: readonly ToggleRow[] }> {
  const { config, size, batch, ms = 20_000, log } = options;
  const { enable, disable } = UNSAFE_FAST;
  const settings = [
    { name: "every guard", dawnFeatures: {} },
    ...enable.map((toggle) => ({ name: toggle, dawnFeatures: withToggle(toggle) })),
    ...disable.map((toggle) => ({ name: `no ${toggle}`, dawnFeatures: without(toggle) })),
    { name: "--unsafe-fast (all of these)", dawnFeatures: UNSAFE_FAST },
  ];
  const x = Float32Array.from(fillArray([batch, size, size, 4], 1, "unit").data);
  const model = loadModel(initialTensors(config, 1), {}, config);
  const contenders: Contender[] = [];
  try {
    for (const { name, dawnFeatures } of settings) {
      const first = contenders.length === 0;
      const opened = await openDevice({ adapter: options.adapter, dawnFeatures, log: first ? log : () => {} });
      const network = new Network(model, opened.device, { software: opened.description.isSoftware });
      const plan = await network.plan([batch, size, size]);
      contenders.push({ name, opened, network, plan, wall: [], gpu: [] });
    }
    await sameBits(contenders, x);
    const end = performance.now() + ms;
    for (let round = 0; round < 200 && (round < 5 || performance.now() < end); round++) {
      // Each round begins with another, so that none always follows the same.
      for (let i = 0; i < contenders.length; i++) {
        const { plan, wall, gpu } = contenders[(i + round) % contenders.length] as Contender;
        const started = performance.now();
        const { gpuMs } = await plan.run({ x });
        wall.push(performance.now() - started);
        if (gpuMs !== null) gpu.push(gpuMs);
      }
    }
    const base = contenders[0]?.wall ?? [];
    const toggles = contenders.map(({ name, plan, wall, gpu }): ToggleRow => {
      const ratios = wall.map((time, i) => time / (base[i] ?? Number.NaN)).sort((a, b) => a - b);
      const at = (q: number): number => ratios[Math.floor(q * (ratios.length - 1))] ?? Number.NaN;
      return {
        name,
        msMedian: summarize(wall).median,
        gpuMsMedian: gpu.length > 0 ? summarize(gpu).median : null,
        ratio: at(0.5),
        ratioQuartiles: [at(0.25), at(0.75)],
        compileMs: plan.parts.compileMs,
        runs: wall.length,
      };
    });
    return { adapter: contenders[0]?.opened.description, toggles };
  } finally {
    for (const { network, opened } of contenders) {
      await network.dispose();
      await opened.close();
    }
  }
}

async function sameBits(contenders: readonly Contender[], x: Float32Array): Promise<void> {
  const bits: Uint32Array[] = [];
  for (const { plan } of contenders) {
    const y = (await plan.run({ x })).outputs.y ?? new Float32Array(0);
    bits.push(new Uint32Array(y.slice().buffer));
  }
  contenders.forEach(({ name }, i) => {
    const differs = bits[i]?.findIndex((value, at) => value !== bits[0]?.[at]);
    if (differs !== -1) throw new Error(`"${name}" computes another value at ${differs} than every guard does`);
  });
}

export const TOGGLE_HEADER = `${"toggle".padEnd(42)} ${"ms a run".padStart(10)} ${"on the GPU".padStart(11)} ${"ratio".padStart(7)}  quartiles      compile ms`;

export const showToggleRow = ({ name, msMedian, gpuMsMedian, ratio, ratioQuartiles, compileMs }: ToggleRow): string =>
  `${name.padEnd(42)} ${msMedian.toFixed(2).padStart(10)} ${(gpuMsMedian?.toFixed(2) ?? "-").padStart(11)} ${ratio.toFixed(3).padStart(7)}  ${ratioQuartiles.map((q) => q.toFixed(3)).join(" - ")} ${compileMs.toFixed(0).padStart(9)}`;
