/**
 * Measures everything on one machine with one command, beside PyTorch where it is there: `npm run bench:gpu`. Each part that
 * cannot be had is named and left out, and the rest goes on. See `--help`.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { execute, Steps } from "./bench_gpu/process.mjs";
import { joinS2am, joinTorch, parseTorchRows, summaryMarkdown } from "./bench_gpu/summary.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const CLI = join(root, "dist", "cli.js");
const REFERENCE = join(root, "scripts", "reference", "s2am_reference.py");
const PREDICTIONS = join(root, "bench", "results", "isa", "predictions.json");
const PARTS = ["doctor", "models", "train", "pytorch", "kernels", "check", "tune"];
const HELP = `npm run bench:gpu -- [options]

Measures this machine: the networks (s2ad, unet, s2asc; f32, and f16 where the command knows it), a training step, every
kernel in every variant, PyTorch on the same networks in the same run, alternating. Writes JSON, pages, traces, logs and
summary.md.

  --parts LIST       of ${PARTS.join(",")} (all); in this order
  --out FOLDER       default bench/results/ADAPTER, with --quick out/bench-gpu
  --adapter NAME     as of s2am bench (gpu)
  --minutes N        no step is begun that would pass this (8)
  --rounds N         how often s2am and PyTorch take turns (3)
  --batch N          of the training step (8)
  --python COMMAND   with torch (python3)
  --torch-device D   cuda, or cpu to try it out (cuda)
  --quick            small networks and few kernels: to see that it works, not to be kept`;

const { values: options } = parseArgs({
  options: {
    parts: { type: "string", default: PARTS.join(",") },
    out: { type: "string" },
    adapter: { type: "string", default: process.env.S2AM_ADAPTER || "gpu" },
    minutes: { type: "string", default: "8" },
    rounds: { type: "string" },
    batch: { type: "string" },
    python: { type: "string", default: "python3" },
    "torch-device": { type: "string", default: "cuda" },
    quick: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const say = (line) => process.stderr.write(`${line}\n`);
const parts = options.parts.split(",").map((part) => part.trim());
const number = (name, standard) => {
  const value = Number(options[name] ?? standard);
  if (value > 0) return value;
  fail(`--${name} must be a number above 0, got ${options[name]}`);
};

function fail(message) {
  say(`bench:gpu: ${message}`);
  process.exit(2);
}

if (options.help) {
  process.stdout.write(`${HELP}\n`);
  process.exit(0);
}
const unknown = parts.find((part) => !PARTS.includes(part));
if (unknown !== undefined) fail(`--parts: "${unknown}" is none of ${PARTS.join(", ")}`);
if (!existsSync(CLI)) fail("dist/cli.js is missing: npm run build, or start this with npm run bench:gpu");

const quick = options.quick;
const minutes = number("minutes");
const rounds = Math.round(number("rounds", quick ? 2 : 3));
const batch = Math.round(number("batch", quick ? 2 : 8));
const shape = quick ? { width: 16, size: 64, levels: 6 } : { width: 64, size: 256, levels: 8 };
const archs = quick ? ["s2ad"] : ["s2ad", "unet", "s2asc"];

const doctor = await execute(process.execPath, [CLI, "doctor", "--json", "--adapter", options.adapter], 60_000);
const adapter = nameOfAdapter(doctor);
const folder = options.out ?? (quick ? join(root, "out", "bench-gpu") : join(root, "bench", "results", slug(adapter)));
mkdirSync(folder, { recursive: true });
const steps = new Steps({ minutes, logs: join(folder, "logs"), say });
say(`adapter: ${adapter}; ${minutes} minutes for ${parts.join(", ")}; results in ${folder}`);
if (parts.includes("doctor")) writeFileSync(join(folder, "doctor.json"), doctor.stdout);

const known = await helpOf();
const torch = parts.includes("pytorch") ? await findTorch() : null;
/** [{label, file, s2am, torch}] */
const networks = [];
if (parts.includes("models")) for (const arch of archs) await benchModel(arch);
if (parts.includes("train")) await benchTraining();
if (parts.includes("kernels"))
  await bench("kernels", ["--kernels", "--all-variants", "--no-model", ...pick("batch_norm")], 60, ["html"]);
if (parts.includes("check"))
  await bench("check", ["--check", "--no-model", "--no-roofline", ...pick("activation")], 60);
if (parts.includes("tune")) await tune();
writeSummary();

/** With --quick, few kernels. */
function pick(filter) {
  return quick ? ["--filter", filter] : [];
}

function nameOfAdapter({ code, stdout, stderr }) {
  try {
    const { adapter: found } = JSON.parse(stdout);
    if (found?.name) return found.name;
  } catch {
    // Said below.
  }
  return fail(
    `no adapter "${options.adapter}" (s2am doctor ended with ${code}): ${stderr.trim() || "node dist/cli.js doctor says more"}`,
  );
}

function slug(name) {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

async function helpOf() {
  const [program, command] = await Promise.all(
    [["--help"], ["bench", "--help"]].map((args) => execute(process.execPath, [CLI, ...args], 30_000)),
  );
  return { tune: /^\s+tune\b/m.test(program.stdout), dtype: /--dtype\b/.test(command.stdout) };
}

async function findTorch() {
  const device = options["torch-device"];
  const script = `import torch, json; print(json.dumps({"version": torch.__version__, "cuda": torch.cuda.is_available(), "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"}))`;
  const { code, stdout } = await execute(options.python, ["-c", script], 120_000);
  if (code !== 0) {
    steps.leaveOut(`PyTorch: ${options.python} with torch is not there (pip install torch, or --python COMMAND)`);
    return null;
  }
  const found = JSON.parse(stdout.trim().split("\n").at(-1));
  if (device === "cuda" && !found.cuda) {
    steps.leaveOut(`PyTorch ${found.version}: it sees no CUDA device (--torch-device cpu to try without)`);
    return null;
  }
  return { ...found, device: device === "cuda" ? found.device : device };
}

/** Runs `s2am bench` into FOLDER/NAME.json. @returns its document, or null */
async function bench(name, args, needs, also = []) {
  const file = (kind) => join(folder, `${name}.${kind}`);
  const outputs = also.flatMap((kind) =>
    kind === "html" ? ["--html", file("html")] : ["--trace", file("trace.json")],
  );
  const all = ["bench", "--adapter", options.adapter, "--json", "--output", file("json"), ...outputs, ...args];
  const printed = await steps.run(name, process.execPath, [CLI, ...all], needs);
  return printed === null ? null : JSON.parse(readFileSync(file("json"), "utf8"));
}

async function torchRows(name, arch, images, only, needs) {
  if (!torch) return [];
  const asked = [
    "--arch",
    arch,
    "--ngf",
    shape.width,
    "--size",
    shape.size,
    "--batch",
    images,
    "--iters",
    quick ? 5 : 30,
  ];
  const args = [REFERENCE, "bench", ...asked, "--device", options["torch-device"], "--only", only].map(String);
  return parseTorchRows((await steps.run(`pytorch ${name}`, options.python, args, needs)) ?? "").filter((row) =>
    new RegExp(only).test(row.name),
  );
}

/** Turns about: s2am, PyTorch, s2am, PyTorch. What either does to the clocks of the GPU, it does to both. */
async function takeTurns(label, name, args, { images, arch, torchOnly, pickRow, needs }) {
  const [rows, theirs] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const first = round === 0;
    const extra = first ? ["html", "trace"] : [];
    const rest = first ? args : [...args, "--no-roofline"];
    const found = await bench(first ? name : `${name}-round-${round + 1}`, rest, needs, extra);
    if (found) rows.push(pickRow(found));
    theirs.push(await torchRows(`${name} round ${round + 1}`, arch, images, torchOnly.eager, needs));
  }
  // Compiling takes PyTorch a minute or more, so once.
  if (torch && !quick && torchOnly.compiled)
    theirs.push(await torchRows(`${name} compiled`, arch, images, torchOnly.compiled, 120));
  if (rows.length > 0) networks.push({ label, s2am: joinS2am(rows), torch: joinTorch(theirs) });
}

function shapeArgs() {
  return ["--width", shape.width, "--size", shape.size, "--levels", shape.levels].map(String);
}

async function benchModel(arch) {
  for (const dtype of ["f32", "f16"]) {
    if (dtype === "f16" && !known.dtype) {
      if (arch === archs[0]) steps.leaveOut("f16: this s2am bench knows no --dtype");
      continue;
    }
    const args = ["--model", arch, ...shapeArgs(), ...(dtype === "f16" ? ["--dtype", dtype] : [])];
    const label = `${arch} ${shape.size} x ${shape.size}, ${dtype}`;
    const eager = dtype === "f32" ? "forward eager (fp32|tf32)" : "forward eager fp16";
    const compiled =
      arch !== "s2ad" ? null : dtype === "f32" ? "forward compiled (fp32|tf32)" : "forward compiled fp16";
    const turns = { images: 1, arch, torchOnly: { eager, compiled }, pickRow: ({ model }) => model, needs: 20 };
    await takeTurns(label, `${arch}-${dtype}`, args, turns);
  }
}

async function benchTraining() {
  const args = ["--no-model", "--train", "--batch", String(batch), ...shapeArgs()];
  const torchOnly = { eager: "train step eager (fp32|tf32)", compiled: "train step compiled fp32" };
  const turns = { images: batch, arch: "s2ad", torchOnly, pickRow: ({ training }) => training, needs: 30 };
  await takeTurns(`training step of s2ad, batch ${batch}`, "training", args, turns);
}

async function tune() {
  if (!known.tune) return steps.leaveOut("tuning: this s2am knows no tune");
  const args = ["tune", "--adapter", options.adapter, ...shapeArgs(), "--output", join(folder, "tuning.json")];
  await steps.run("tune", process.execPath, [CLI, ...args], 60);
}

/** Of this call; JSON of parts that an earlier call measured into the same folder is taken along. */
function writeSummary() {
  const read = (name) => {
    const file = join(folder, `${name}.json`);
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
  };
  const summaryFile = join(folder, "summary.json");
  const earlier = existsSync(summaryFile) ? JSON.parse(readFileSync(summaryFile, "utf8")) : { networks: [] };
  const labels = new Set(networks.map(({ label }) => label));
  const first = ["kernels", "s2ad-f32", "training"].map(read).find((document) => document?.roofline);
  const found = {
    adapter,
    date: new Date().toISOString(),
    roofline: first?.roofline ?? earlier.roofline ?? null,
    torch: torch ?? earlier.torch ?? null,
    networks: [...earlier.networks.filter(({ label }) => !labels.has(label)), ...networks],
    check: read("check")?.check ?? null,
    notes: steps.notes,
  };
  writeFileSync(summaryFile, `${JSON.stringify(found, null, 2)}\n`);
  const predictions = existsSync(PREDICTIONS) ? JSON.parse(readFileSync(PREDICTIONS, "utf8")) : null;
  const markdown = summaryMarkdown({ ...found, kernels: read("kernels")?.kernels ?? [], predictions });
  writeFileSync(join(folder, "summary.md"), markdown);
  process.stdout.write(markdown);
}
