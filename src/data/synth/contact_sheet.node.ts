/** One HTML file that shows what a set of composites is like: needs nothing beside it. */
import { join } from "node:path";
import { decodeImage, encodeImage } from "../../image/codec.node.js";
import { fromFloat } from "../../image/float.js";
import type { Image } from "../../image/image.js";
import { resizeToRgb } from "../../image/resize.js";
import { compareStrip } from "../../image/strip.js";
import { type Entry, FOLDERS, type Header, type MadeEntry, PARTS } from "./manifest.js";

/** Composites shown, evenly over all. */
const SHOWN = 60;
const THUMBNAIL = 144;

export async function contactSheet(
  folder: string,
  header: Header,
  entries: readonly Entry[],
  counts: Readonly<Record<string, Readonly<Record<string, number>>>>,
): Promise<string> {
  const made = entries.filter((entry): entry is MadeEntry & Entry => !("skipped" in entry));
  const shown = Array.from(
    { length: Math.min(SHOWN, made.length) },
    (_, i) => made[Math.floor((i * made.length) / Math.min(SHOWN, made.length))] as MadeEntry,
  );
  const figures: string[] = [];
  for (const entry of shown) figures.push(await figure(folder, entry));
  const { kind, size, style, seed, masks } = header;
  const settings = { kind, size, style, seed, masks: masks.join(", ") || "annotations", composites: made.length };
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${made.length} composites</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 2rem; color: #222; background: #fff; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(${3 * THUMBNAIL}px, 1fr)); gap: 1rem; }
figure { margin: 0; } img { max-width: 100%; display: block; } figcaption { color: #555; font-size: 12px; overflow-wrap: anywhere; }
table { border-collapse: collapse; display: inline-table; margin: 0 2rem 1.5rem 0; vertical-align: top; }
caption { text-align: left; font-weight: 600; } td { padding: 0 1rem 0 0; } td:last-child { text-align: right; }
</style>
<h1>${made.length} composites</h1>
<p>Each: composite, mask, natural photograph. Shown are ${shown.length}, evenly over all.</p>
${[["settings", settings] as const, ...Object.entries(counts)].map(([title, rows]) => table(title, rows)).join("\n")}
<main>
${figures.join("\n")}
</main></html>
`;
}

function table(title: string, rows: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(rows).map(
    ([key, value]) => `<tr><td>${escapeHtml(key)}</td><td>${escapeHtml(String(value))}</td></tr>`,
  );
  return lines.length === 0 ? "" : `<table><caption>${escapeHtml(title)}</caption>${lines.join("")}</table>`;
}

async function figure(folder: string, entry: MadeEntry): Promise<string> {
  const pictures: Image[] = [];
  for (const kind of FOLDERS) {
    const image = await decodeImage(join(folder, PARTS[entry.split], kind, entry.name));
    pictures.push(fromFloat(resizeToRgb(image, THUMBNAIL, THUMBNAIL)));
  }
  const jpeg = await encodeImage(compareStrip(pictures), "jpeg", { quality: 85 });
  const { name, mask, transform, share, rmse } = entry;
  const caption = `${name} · ${mask} · ${describe(entry)} · ${(100 * share).toFixed(1)} % · RMSE ${rmse.toFixed(1)}`;
  const source = `data:image/jpeg;base64,${Buffer.from(jpeg).toString("base64")}`;
  return `<figure><img src="${source}" alt="${escapeHtml(transform)}"><figcaption>${escapeHtml(caption)}</figcaption></figure>`;
}

function describe({ transform, parameters }: MadeEntry): string {
  const adjustments = Array.isArray(parameters.adjustments) ? parameters.adjustments : [];
  const kinds = adjustments.map((one: { readonly kind: string }) => one.kind);
  return transform === "adjustments" ? kinds.join(", ") : [transform, ...kinds].join(", ");
}

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
