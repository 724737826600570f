/** The demo page: two pictures in, one out. It uses nothing but the package's public interface. */
import { AbortedError, type HarmonizeProgress, type LoadProgress, S2amError } from "../src/index.js";
import { loadHarmonizer, openDevice } from "./engine.js";
import { blend, draw, opaque, openPicture, readPixels, savePng } from "./pictures.js";
import { regionControl } from "./region.js";

const SLOTS = ["composite", "mask"] as const;
type Slot = (typeof SLOTS)[number];

const page = {
  stage: element("stage", HTMLElement),
  before: element("before", HTMLCanvasElement),
  after: element("after", HTMLCanvasElement),
  divider: element("divider", HTMLInputElement),
  harmonize: element("harmonize", HTMLButtonElement),
  cancel: element("cancel", HTMLButtonElement),
  example: element("example", HTMLButtonElement),
  strength: element("strength", HTMLInputElement),
  strengthValue: element("strength-value", HTMLOutputElement),
  reference: element("reference", HTMLInputElement),
  drawReference: element("draw-reference", HTMLButtonElement),
  sheet: element("sheet", HTMLElement),
  download: element("download", HTMLButtonElement),
  progress: element("progress", HTMLProgressElement),
  status: element("status", HTMLElement),
  error: element("error", HTMLElement),
};

/** One composite; a mask for each object. */
const files: Record<Slot, readonly File[]> = { composite: [], mask: [] };
let result: { before: ImageData; after: ImageData } | null = null;
let running: AbortController | null = null;

function element<E extends HTMLElement>(id: string, kind: new () => E): E {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return found;
}

/** Shows what goes on; `done` of `total` where it is known. */
function report(text: string, done?: number, total?: number): void {
  page.status.textContent = text;
  page.progress.hidden = done === undefined;
  if (done !== undefined && total) {
    page.progress.max = total;
    page.progress.value = done;
  } else page.progress.removeAttribute("value");
}

function reportError(error: unknown): void {
  report(error instanceof AbortedError ? "Cancelled." : "");
  if (error instanceof AbortedError) return;
  const message = error instanceof Error ? error.message : String(error);
  page.error.textContent = error instanceof S2amError ? message : `Something went wrong: ${message}`;
}

function reportLoading(progress: LoadProgress | HarmonizeProgress): void {
  const { stage, done, total } = progress;
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  if (stage === "download") {
    report(`Downloading weights: ${megabytes(done)}${total ? ` of ${megabytes(total)}` : ""} MB`, done, total);
  } else if (stage === "objects") {
    report(`Harmonizing object ${Math.min(done + 1, total)} of ${total}`, done, total);
  } else
    report(`${stage === "pipelines" ? "Compiling kernels" : "Preparing weights"}: ${done} of ${total}`, done, total);
}

function update(): void {
  page.harmonize.hidden = page.example.disabled = running !== null;
  page.cancel.hidden = running === null;
  page.harmonize.disabled = page.drawReference.disabled = files.composite.length === 0;
  page.strength.disabled = !result;
  page.download.hidden = !result;
  page.stage.classList.toggle("plain", !result);
}

/** Masks are taken in the order of their names' numbers: the order in which a file dialog hands them over is its own. */
async function choose(slot: Slot, chosen: readonly File[]): Promise<void> {
  running?.abort();
  page.error.textContent = "";
  const [first, ...rest] = [...chosen].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  if (!first) return;
  const taken = slot === "mask" ? [first, ...rest] : [first];
  try {
    const sizes: string[] = [];
    for (const file of taken) {
      const picture = await openPicture(file);
      sizes.push(`${file.name}, ${picture.width} × ${picture.height}`);
      if (slot === "composite") {
        draw(page.before, picture);
        page.stage.hidden = false;
        region.clear();
      }
      picture.close();
    }
    files[slot] = taken;
    result = null;
    element(`${slot}-tile`, HTMLElement).classList.add("filled");
    element(`${slot}-name`, HTMLElement).textContent = sizes.join("; ");
    report("");
  } catch (error) {
    reportError(error);
  }
  update();
}

async function harmonize(): Promise<void> {
  const [composite] = files.composite;
  if (!composite || running) return;
  const controller = new AbortController();
  running = controller;
  page.error.textContent = "";
  update();
  try {
    const reference = region.read();
    report("Opening the GPU", 0);
    const harmonizer = await loadHarmonizer(controller.signal, reportLoading);
    const { device, description } = await openDevice();
    const pixels = async (file: File): Promise<ImageData> => {
      const picture = await openPicture(file);
      return readPixels(device, picture, file.name).finally(() => picture.close());
    };
    const image = await pixels(composite);
    const masks: ImageData[] = [];
    for (const file of files.mask) masks.push(await pixels(file));
    report("Harmonizing", 0);
    const output = await harmonizer.harmonize(
      { image, masks: masks.length > 0 ? masks : undefined },
      {
        reference,
        signal: controller.signal,
        names: { image: composite.name, mask: "mask", masks: files.mask.map(({ name }) => name) },
        onProgress: (progress) =>
          progress.stage === "objects" || progress.done < progress.total
            ? reportLoading(progress)
            : report("Harmonizing", 0),
      },
    );
    if (controller.signal.aborted) throw new AbortedError();
    const after = new ImageData(new Uint8ClampedArray(output.image.data), image.width, image.height);
    result = { before: masks.length > 0 ? image : opaque(image), after };
    draw(page.before, result.before);
    draw(page.after, after);
    const seconds = (output.totalMs / 1000).toFixed(2);
    report(
      `${image.width} × ${image.height} in ${seconds} s, the network ${output.modelMs.toFixed(0)} ms, on ${description.name}`,
    );
  } catch (error) {
    reportError(controller.signal.aborted ? new AbortedError() : error);
  }
  running = null;
  update();
}

async function tryExample(): Promise<void> {
  page.error.textContent = "";
  try {
    const fetchFile = async (name: string): Promise<File> => {
      const response = await fetch(new URL(`examples/${name}`, document.baseURI));
      if (!response.ok) throw new Error(`examples/${name} could not be fetched (HTTP ${response.status})`);
      return new File([await response.blob()], name);
    };
    const [composite, mask] = await Promise.all([fetchFile("table.png"), fetchFile("table_mask.png")]);
    await choose("composite", [composite]);
    await choose("mask", [mask]);
    await harmonize();
  } catch (error) {
    reportError(error);
  }
}

/** What falls on a tile goes there; beside the tiles, what is called a mask is one. */
async function drop(event: DragEvent): Promise<void> {
  event.preventDefault();
  const dropped = [...(event.dataTransfer?.files ?? [])];
  const target = event.target instanceof Element ? event.target : null;
  const tile = SLOTS.find((slot) => target?.closest(`#${slot}-tile`));
  const isMask = ({ name }: File): boolean => /mask/i.test(name);
  const onTile = tile !== undefined && (dropped.length === 1 || (tile === "mask" && dropped.every(isMask)));
  if (onTile) return choose(tile, dropped);
  await choose(
    "composite",
    dropped.filter((file) => !isMask(file)),
  );
  await choose("mask", dropped.filter(isMask));
}

const region = regionControl({
  canvas: page.before,
  field: page.reference,
  button: page.drawReference,
  sheet: page.sheet,
});
for (const slot of SLOTS) {
  const input = element(slot, HTMLInputElement);
  input.addEventListener("change", () => {
    const chosen = [...(input.files ?? [])];
    input.value = ""; // so that the same file can be chosen again
    void choose(slot, chosen);
  });
}
const strength = (): number => Number(page.strength.value);
page.harmonize.addEventListener("click", () => void harmonize());
page.cancel.addEventListener("click", () => running?.abort());
page.example.addEventListener("click", () => void tryExample());
page.divider.addEventListener("input", () => page.stage.style.setProperty("--split", `${page.divider.value}%`));
page.strength.addEventListener("input", () => {
  page.stage.style.setProperty("--strength", page.strength.value);
  page.strengthValue.value = `${Math.round(100 * strength())} %`;
});
page.download.addEventListener("click", () => {
  const name = `${files.composite[0]?.name.replace(/\.\w+$/, "") ?? "picture"}_harmonized.png`;
  if (result) savePng(blend(result.before, result.after, strength()), name).catch(reportError);
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => void drop(event));
openDevice().catch(reportError); // tells at once that there is no WebGPU
update();
