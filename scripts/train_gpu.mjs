/**
 * A training on a bare machine with a GPU, in minutes: `npm run train:gpu -- pack|train|join`. See `--help`.
 */
import { spawn } from "node:child_process";
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import sharp from "sharp";

const HELP = `npm run train:gpu -- pack  --material DIR --init WEIGHTS [--out out/train-gpu]
npm run train:gpu -- train --pack out/train-gpu --out DIR [--minutes 9] [--adapter gpu] [settings]
npm run train:gpu -- join  --from DIR --out RUN

pack   reduces the photographs and cut-outs that scripts/collect_photos.mjs collected, and takes the weights to go on from
       (.safetensors, e.g. RUN/last.safetensors): one folder of at most 40 MiB to carry to another machine with this package.
train  makes composites as it goes (s2am synth's style varied), measures how long a step takes, and falls along a cosine over
       as many steps as the minutes allow. DIR gets the weights, the log, and the last checkpoint with the optimizer's state,
       in pieces of at most 15 MiB; summary.json says images a second.
join   makes a run folder of what train wrote, for s2am train --resume RUN --synth PHOTOS --steps N.

settings of train, with what they are otherwise: --size 128, --batch 16, --lr 7e-4, --hold 0.3, --loss fn_log,
--style varied, --seed 0, --threads (that make composites) one fewer than the processor runs`;

const MOST_BYTES = 40 * 2 ** 20;
const PIECE_BYTES = 15 * 2 ** 20;
/** Longest side of a photograph and of a cut-out in the pack. */
const [PHOTO_SIDE, CUTOUT_SIDE] = [448, 256];
const PROBE = { steps: 30, from: 10 };
/** Of the time that is left after the probe: room for compiling, the last validation and the copying. */
const USED = 0.85;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    ...Object.fromEntries(["material", "init", "pack", "from", "out", "threads"].map((n) => [n, { type: "string" }])),
    minutes: { type: "string", default: "9" },
    adapter: { type: "string", default: process.env.S2AM_ADAPTER || "gpu" },
    size: { type: "string", default: "128" },
    batch: { type: "string", default: "16" },
    lr: { type: "string", default: "7e-4" },
    hold: { type: "string", default: "0.3" },
    loss: { type: "string", default: "fn_log" },
    style: { type: "string", default: "varied" },
    seed: { type: "string", default: "0" },
    help: { type: "boolean", default: false },
  },
});
const CLI = join(dirname(fileURLToPath(import.meta.url)), "..", "dist", "cli.js");
const say = (line) => process.stderr.write(`${line}\n`);
const VERBS = { pack, train, join: joined };
const verb = VERBS[positionals[0]];
if (values.help || !verb) {
  process.stdout.write(`${HELP}\n`);
  process.exit(values.help ? 0 : 2);
}
await verb();

function needed(name) {
  if (values[name] !== undefined) return values[name];
  say(`train:gpu ${positionals[0]}: --${name} is missing; see --help`);
  process.exit(2);
}

async function pack() {
  const [material, init, out] = [needed("material"), needed("init"), values.out ?? "out/train-gpu"];
  await mkdir(out, { recursive: true });
  for (const part of ["photos/train", "photos/val", "cutouts"]) {
    const names = await readdir(join(material, part));
    await mkdir(join(out, part), { recursive: true });
    for (const name of names) {
      const side = part === "cutouts" ? CUTOUT_SIDE : PHOTO_SIDE;
      const reduced = sharp(join(material, part, name))
        .rotate()
        .resize(side, side, { fit: "inside", withoutEnlargement: true });
      const stem = name.replace(/\.\w+$/, "");
      if (part === "cutouts") await reduced.png({ palette: false }).toFile(join(out, part, `${stem}.png`));
      else
        await reduced
          .toColourspace("srgb")
          .jpeg({ quality: 88 })
          .toFile(join(out, part, `${stem}.jpg`));
    }
    say(`${part}: ${names.length}`);
  }
  await cp(init, join(out, "init.safetensors"));
  const bytes = await sizeOf(out);
  say(`${out}: ${(bytes / 2 ** 20).toFixed(1)} MiB`);
  if (bytes > MOST_BYTES) throw new Error(`${out}: more than ${MOST_BYTES / 2 ** 20} MiB: take weights of f16`);
}

async function sizeOf(folder) {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath ?? entry.path, entry.name))).size;
  return bytes;
}

async function train() {
  const [packed, out] = [needed("pack"), needed("out")];
  const end = Date.now() + Number(values.minutes) * 60_000;
  const left = () => (end - Date.now()) / 1000;
  const { adapter, size, batch, lr, hold, loss, style, seed, threads } = values;
  const settings = [
    ["--synth", join(packed, "photos"), "--synth-cutouts", join(packed, "cutouts"), "--synth-style", style],
    ["--init", join(packed, "init.safetensors"), "--size", size, "--batch", batch, "--loss", loss, "--seed", seed],
    ["--lr", lr, "--ema", "0.998", "--adapter", adapter, ...(threads ? ["--threads", threads] : [])],
  ].flat();
  await mkdir(out, { recursive: true });
  const [probe, run] = [join(out, "probe"), join(out, "run")];
  for (const folder of [probe, run]) await rm(folder, { recursive: true, force: true });

  const times = new Map();
  await s2am([...settings, "--steps", String(PROBE.steps), "--val-count", "1", "--out", probe], left(), (event) => {
    if (event.event === "step") times.set(event.step, performance.now());
  });
  await rm(probe, { recursive: true, force: true });
  const told = [...times].filter(([step]) => step >= PROBE.from);
  const [first, last] = [told[0], told.at(-1)];
  if (!first || !last || first[0] === last[0]) throw new Error(`${PROBE.steps} steps took more than --minutes`);
  const stepSeconds = (last[1] - first[1]) / 1000 / (last[0] - first[0]);
  const steps = Math.max(20, Math.floor((USED * left()) / stepSeconds));
  say(`${(1000 * stepSeconds).toFixed(1)} ms a step of ${batch}; ${steps} steps in the ${left().toFixed(0)} s left`);

  const falling = [
    "--schedule",
    "cosine",
    "--hold",
    hold,
    "--floor",
    "0.02",
    "--warmup",
    String(Math.min(50, steps >> 2)),
  ];
  const perEpoch = String(Math.max(1, Math.ceil(steps / 5)) * Number(batch));
  const begun = Date.now();
  let reached = 0;
  const validations = [];
  const all = [...settings, ...falling, "--steps", String(steps), "--synth-count", perEpoch, "--val-count", "100"];
  await s2am([...all, "--out", run], left() - 15, (event) => {
    if (event.event === "step") reached = event.step;
    if (event.event === "validation")
      validations.push({ step: event.step, psnr: event.psnr, before: event.baselinePsnr });
  });
  const seconds = (Date.now() - begun) / 1000;
  const summary = {
    adapter,
    steps: reached,
    asked: steps,
    seconds,
    imagesPerSecond: Number(batch) / stepSeconds,
    imagesPerSecondWithAll: (reached * Number(batch)) / seconds,
    validations,
  };
  await bringHome(run, out, summary);
  say(JSON.stringify(summary));
}

/** Few and small files: what a machine gives back may be limited in both. */
async function bringHome(run, out, summary) {
  for (const name of ["last.safetensors", "log.csv", "config.json"]) await cp(join(run, name), join(out, name));
  const checkpoints = (await readdir(join(run, "checkpoints"))).filter((name) => name.endsWith(".safetensors")).sort();
  const newest = checkpoints.at(-1);
  if (newest === undefined) throw new Error(`${run}: no checkpoint`);
  const bytes = await readFile(join(run, "checkpoints", newest));
  const pieces = Math.ceil(bytes.length / PIECE_BYTES);
  for (let i = 0; i < pieces; i++)
    await writeFile(join(out, `checkpoint.${i}`), bytes.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES));
  await writeFile(join(out, "summary.json"), JSON.stringify({ ...summary, checkpoint: newest, pieces }, null, 2));
  await rm(run, { recursive: true, force: true });
}

async function joined() {
  const [from, out] = [needed("from"), needed("out")];
  const { checkpoint, pieces } = JSON.parse(await readFile(join(from, "summary.json"), "utf8"));
  await mkdir(join(out, "checkpoints"), { recursive: true });
  for (const name of ["last.safetensors", "log.csv", "config.json"]) await cp(join(from, name), join(out, name));
  const parts = await Promise.all(Array.from({ length: pieces }, (_, i) => readFile(join(from, `checkpoint.${i}`))));
  await writeFile(join(out, "checkpoints", checkpoint), Buffer.concat(parts));
  say(`${out}: go on with s2am train --resume ${out} --synth PHOTOS --synth-cutouts CUTOUTS --steps N`);
}

/** `s2am train`; when the time is over it is asked to finish its step and save. */
async function s2am(args, seconds, tell) {
  const child = spawn(process.execPath, [CLI, "train", ...args], { stdio: ["ignore", "ignore", "pipe"] });
  let stopped = false;
  const timer = setTimeout(() => {
    stopped = true;
    child.kill("SIGINT");
  }, Math.max(0, seconds) * 1000);
  const other = [];
  const lines = createInterface({ input: child.stderr });
  lines.on("line", (line) => {
    try {
      tell(JSON.parse(line));
    } catch {
      other.push(line);
    }
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  clearTimeout(timer);
  if (code !== 0 && !stopped) throw new Error(`s2am train ended with ${code}: ${other.slice(-5).join(" / ")}`);
}
