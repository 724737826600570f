/** Families of AMD's cards that Mesa compiles for, as RADV_FORCE_FAMILY names them. */
import { UsageError } from "../../src/errors.js";

export interface Family {
  readonly name: string;
  /** A card of it, for people. */
  readonly card: string;
  readonly architecture: "GCN 5" | "RDNA 1" | "RDNA 2" | "RDNA 3" | "RDNA 3.5" | "RDNA 4";
  /** Subgroups that a SIMD holds at the most. */
  readonly mostWaves: number;
}

export const FAMILIES: readonly Family[] = [
  { name: "vega10", card: "Radeon RX Vega 64", architecture: "GCN 5", mostWaves: 10 },
  { name: "raven", card: "Ryzen 2000G to 5000G, integrated", architecture: "GCN 5", mostWaves: 10 },
  { name: "navi10", card: "Radeon RX 5700", architecture: "RDNA 1", mostWaves: 20 },
  { name: "navi21", card: "Radeon RX 6800", architecture: "RDNA 2", mostWaves: 16 },
  { name: "navi22", card: "Radeon RX 6700", architecture: "RDNA 2", mostWaves: 16 },
  { name: "navi23", card: "Radeon RX 6600", architecture: "RDNA 2", mostWaves: 16 },
  { name: "rembrandt", card: "Ryzen 6000, integrated, 12 units", architecture: "RDNA 2", mostWaves: 16 },
  { name: "navi31", card: "Radeon RX 7900", architecture: "RDNA 3", mostWaves: 16 },
  { name: "navi32", card: "Radeon RX 7800", architecture: "RDNA 3", mostWaves: 16 },
  { name: "navi33", card: "Radeon RX 7600", architecture: "RDNA 3", mostWaves: 16 },
  { name: "phoenix", card: "Ryzen 7040, integrated, 12 units", architecture: "RDNA 3", mostWaves: 16 },
  { name: "gfx1150", card: "Ryzen AI 300, integrated, 16 units", architecture: "RDNA 3.5", mostWaves: 16 },
  { name: "gfx1201", card: "Radeon RX 9070", architecture: "RDNA 4", mostWaves: 16 },
];

export const DEFAULT_FAMILIES = "navi21,navi31,vega10";

/** @throws UsageError naming those there are */
export function parseFamilies(text: string): Family[] {
  const names = [...new Set(text.split(",").map((name) => name.trim()))];
  return names.map((name) => {
    const family = FAMILIES.find((one) => one.name === name);
    if (family) return family;
    const known = FAMILIES.map((one) => `${one.name} (${one.card})`).join(", ");
    throw new UsageError(`--family: "${name}" is none of ${known}`);
  });
}
