/** Tells a picture's format by its first bytes. File names lie, and a wrong guess ends in a baffling decoder message. */
export type ImageFormat = "png" | "jpeg" | "webp";

/** Formats people do bring, so that the error can name them. */
const OTHERS: readonly (readonly [name: string, offset: number, magic: string])[] = [
  ["GIF", 0, "GIF8"],
  ["TIFF", 0, "II*\0"],
  ["TIFF", 0, "MM\0*"],
  ["BMP", 0, "BM"],
  ["AVIF", 4, "ftypavif"],
  ["HEIC", 4, "ftyphei"],
  ["HEIC", 4, "ftypmif1"],
  ["JPEG XL", 0, "\xff\x0a"],
  ["JPEG XL", 4, "JXL "],
  ["OpenEXR", 0, "v/1\x01"],
  ["PDF", 0, "%PDF"],
  ["SVG", 0, "<svg"],
];

const at = (bytes: Uint8Array, offset: number, magic: string): boolean => {
  for (let i = 0; i < magic.length; i++) if (bytes[offset + i] !== magic.charCodeAt(i)) return false;
  return true;
};

/** The format, from at least the first 16 bytes; null when it is none of the three that are read. */
export function sniffFormat(bytes: Uint8Array): ImageFormat | null {
  if (at(bytes, 0, "\x89PNG\r\n\x1a\n")) return "png";
  if (at(bytes, 0, "\xff\xd8\xff")) return "jpeg";
  if (at(bytes, 0, "RIFF") && at(bytes, 8, "WEBP")) return "webp";
  return null;
}

/** What the bytes are instead, for a message: `a GIF file`, `an empty file`, `not an image`. */
export function describeForeign(bytes: Uint8Array): string {
  if (bytes.length === 0) return "an empty file";
  const other = OTHERS.find(([, offset, magic]) => at(bytes, offset, magic));
  if (!other) return "not an image";
  return `${/^[AHO]/.test(other[0]) ? "an" : "a"} ${other[0]} file`;
}
