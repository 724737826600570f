/**
 * Collects photographs and silhouettes to train on from Debian's packages, those that photographs.json lists and no others:
 * they were looked at one by one, to leave out drawings, renderings and toned or gray pictures.
 *
 *     node scripts/collect_photos.mjs OUT [PACKAGES]
 *     node scripts/collect_photos.mjs --evaluation OUT [PACKAGES]     those to measure on, of evaluation.json, instead
 *
 * PACKAGES is a folder of .deb files; those that are not there are downloaded into it (by default into a folder that is removed
 * afterwards) and nothing is installed. OUT gets photos/train, photos/val, cutouts and CREDITS.md. Every file's SHA-256 is
 * compared with the list's. The photographs under photos/val are for validation alone.
 *
 *     s2am synth --photos OUT/photos --cutouts OUT/cutouts --count 10000 --out data
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { readResource } from "./qt_resources.mjs";

/** What the project's claims are measured on. */
const KEPT_FOR_EVALUATION = ["python3-skimage", "opencv-doc", "python3-sklearn", "python-matplotlib-data"];

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const evaluation = process.argv.includes("--evaluation");
const [out, cache] = process.argv.slice(2).filter((argument) => argument !== "--evaluation");
if (!out) {
  console.error("usage: node scripts/collect_photos.mjs [--evaluation] OUT [PACKAGES]");
  process.exit(2);
}
const { photographs, cutouts } = evaluation ? await evaluated() : await trained();
const temporary = await mkdtemp(join(tmpdir(), "s2am-photos-"));
try {
  const debs = resolve(cache ?? join(temporary, "packages"));
  await mkdir(debs, { recursive: true });
  const names = [...new Set([...photographs, ...(cutouts ? [cutouts] : [])].map((one) => one.package))];
  for (const name of names) await unpack(name, debs, join(temporary, name));
  for (const split of ["train", "val"]) await mkdir(join(out, "photos", split), { recursive: true });
  if (cutouts) await mkdir(join(out, "cutouts"), { recursive: true });

  for (const { name, split, ...one } of photographs) {
    const file = join(temporary, one.package, one.path);
    const bytes = one.member ? await readResource(file, one.member) : await readFile(file);
    await writeChecked(join(out, "photos", split, name), bytes, one.sha256);
  }
  for (const { path, sha256 } of cutouts?.files ?? []) {
    const name = path.replace(/^.*\/stamps\//, "").replaceAll("/", "_");
    await writeChecked(join(out, "cutouts", name), await readFile(join(temporary, cutouts.package, path)), sha256);
  }
  await writeFile(join(out, "CREDITS.md"), credits());
} finally {
  await rm(temporary, { recursive: true, force: true });
}
const megapixels = photographs.reduce((sum, { width, height }) => sum + width * height, 0) / 1e6;
const val = photographs.filter(({ split }) => split === "val").length;
console.log(
  `${out}: ${photographs.length} photographs (${val} for validation), ${megapixels.toFixed(0)} megapixels; ${cutouts?.files.length ?? 0} cut-outs`,
);

/** All for validation: their licences are stated in the packages, and nothing made of them is distributed. */
async function evaluated() {
  const { photographs } = JSON.parse(await readFile(here("evaluation.json"), "utf8"));
  const stated = {
    split: "val",
    licence: "see the package's copyright file",
    licenceOf: "file",
    copyright: "likewise",
  };
  return { photographs: photographs.map((one) => ({ ...one, ...stated })), cutouts: null };
}

async function trained() {
  const lists = JSON.parse(await readFile(here("photographs.json"), "utf8"));
  await refuseEvaluation(lists);
  return lists;
}

/** Neither the packages nor the example pictures that results are measured on may come into training. */
async function refuseEvaluation({ photographs, cutouts }) {
  const examples = JSON.parse(await readFile(here("examples.json"), "utf8"));
  const evaluated = new Set(examples.map(({ photo }) => photo));
  for (const one of [...photographs, cutouts]) {
    const file = one.path?.split("/").pop();
    if (KEPT_FOR_EVALUATION.includes(one.package) || evaluated.has(file) || evaluated.has(one.name)) {
      throw new Error(`photographs.json: ${one.name ?? one.package} is kept for evaluation`);
    }
  }
}

async function unpack(name, debs, folder) {
  const find = async () => (await readdir(debs)).find((file) => file.startsWith(`${name}_`) && file.endsWith(".deb"));
  if (!(await find())) execFileSync("apt-get", ["download", "-qq", name], { cwd: debs, stdio: "inherit" });
  const file = await find();
  if (!file) throw new Error(`${name}: apt-get has not downloaded it`);
  execFileSync("dpkg", ["-x", join(debs, file), folder], { stdio: "inherit" });
}

async function writeChecked(path, bytes, sha256) {
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256) {
    throw new Error(`${path}: its SHA-256 is ${found}, not ${sha256}: the package is another version; look at it anew`);
  }
  await writeFile(path, bytes);
}

function credits() {
  const rows = photographs.map((one) => {
    const stated = one.licenceOf === "file" ? "" : " (of the package as a whole)";
    return `| ${one.split}/${one.name} | ${one.package} | ${one.licence}${stated} | ${one.copyright.replaceAll("|", "/")} |`;
  });
  return `# Photographs and silhouettes

From Debian's packages, with the licences that the packages' copyright files state.

| photograph | package | licence | copyright |
| --- | --- | --- | --- |
${rows.join("\n")}
${cutouts ? `\nThe ${cutouts.files.length} silhouettes are from ${cutouts.package}: ${cutouts.licence}, ${cutouts.copyright}.\n` : ""}`;
}
