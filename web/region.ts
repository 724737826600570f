/** The part of the background that is matched: typed as x, y, width, height, or drawn on the picture. */
import { type Region, UsageError } from "../src/index.js";

export interface RegionParts {
  /** Whose pixels the numbers mean. */
  readonly canvas: HTMLCanvasElement;
  readonly field: HTMLInputElement;
  /** Starts drawing. */
  readonly button: HTMLButtonElement;
  /** Lies over the canvas, and takes the pointer while something is drawn. */
  readonly sheet: HTMLElement;
}

export interface RegionControl {
  /** Undefined where the field is empty. @throws UsageError where it holds no four whole numbers */
  readonly read: () => Region | undefined;
  readonly clear: () => void;
}

export function regionControl({ canvas, field, button, sheet }: RegionParts): RegionControl {
  let start: { x: number; y: number } | null = null;

  const show = (): void => {
    const region = parse(field.value);
    sheet.classList.toggle("marked", region !== null && field.value.trim() !== "");
    if (!region) return;
    const share = (value: number, of: number): string => `${(100 * value) / of}%`;
    sheet.style.setProperty("--x", share(region.x, canvas.width));
    sheet.style.setProperty("--y", share(region.y, canvas.height));
    sheet.style.setProperty("--w", share(region.width, canvas.width));
    sheet.style.setProperty("--h", share(region.height, canvas.height));
  };
  const setDrawing = (on: boolean): void => {
    sheet.classList.toggle("drawing", on);
    button.setAttribute("aria-pressed", String(on));
    start = null;
  };
  const at = (event: PointerEvent): { x: number; y: number } => {
    const box = canvas.getBoundingClientRect();
    const along = (value: number, from: number, length: number, pixels: number): number =>
      Math.min(pixels, Math.max(0, Math.round(((value - from) / length) * pixels)));
    return {
      x: along(event.clientX, box.left, box.width, canvas.width),
      y: along(event.clientY, box.top, box.height, canvas.height),
    };
  };

  button.addEventListener("click", () => setDrawing(!sheet.classList.contains("drawing")));
  field.addEventListener("input", show);
  sheet.addEventListener("pointerdown", (event) => {
    sheet.setPointerCapture(event.pointerId);
    start = at(event);
  });
  sheet.addEventListener("pointermove", (event) => {
    if (!start) return;
    const end = at(event);
    const [x, y] = [Math.min(start.x, end.x), Math.min(start.y, end.y)];
    field.value = [x, y, Math.abs(end.x - start.x), Math.abs(end.y - start.y)].join(", ");
    show();
  });
  for (const ended of ["pointerup", "pointercancel"]) sheet.addEventListener(ended, () => setDrawing(false));

  return {
    read() {
      if (field.value.trim() === "") return undefined;
      const region = parse(field.value);
      if (!region) throw new UsageError("The reference: expected four whole numbers, x, y, width, height.");
      return region;
    },
    clear() {
      field.value = "";
      show();
    },
  };
}

function parse(text: string): Region | null {
  const numbers = text.split(",").map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : Number.NaN));
  const [x, y, width, height] = numbers as [number, number, number, number];
  return numbers.length === 4 && !numbers.some(Number.isNaN) ? { x, y, width, height } : null;
}
