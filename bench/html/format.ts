/** Numbers and text as the page shows them. */
const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
export const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? "");

/** Three digits that count: 0.0123, 1.23, 123, 12,300. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  if (digits > 6) return value.toExponential(1);
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = count > 0 ? Math.min(units.length - 1, Math.floor(Math.log2(count) / 10)) : 0;
  return `${short(count / 2 ** (10 * power))} ${units[power]}`;
}

export const milliseconds = (ms: number): string => `${short(ms)} ms`;
export const percent = (value: number | null): string => (value === null ? "–" : `${value.toFixed(1)} %`);
/** In the unit that leaves at most four digits before the point. */
export const flopRate = (gflops: number): string =>
  gflops >= 2000 ? `${short(gflops / 1000)} TFLOP/s` : `${short(gflops)} GFLOP/s`;

/** SVG coordinates need no more than a tenth of a pixel. */
export const px = (value: number): string => String(Math.round(value * 10) / 10);
