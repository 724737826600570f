/**
 * Cards as their makers publish them, for predictions alone. Nothing here was measured. NVIDIA's have no listing of their
 * own: one of AMD's stands for it, a proxy, with the units, clocks and memory of the card.
 */
export interface Card {
  readonly name: string;
  /** What its name contains where it is measured: a regular expression. */
  readonly adapter: string;
  /** Of AMD's, whose listing is taken. */
  readonly family: string;
  /** Set where the listing is another maker's. */
  readonly proxy: boolean;
  /** Compute units, streaming multiprocessors. */
  readonly units: number;
  /** Of a unit. */
  readonly simds: number;
  /** Lanes of a SIMD that work at once: 32 take a clock for a subgroup of 32, 16 take two. */
  readonly lanes: number;
  /** Whether scalar instructions have a unit of their own beside the vector's. */
  readonly scalarUnit: boolean;
  /** Clocks of a 32-bit integer multiplication over those of an addition. */
  readonly multiplication: number;
  readonly ghz: number;
  readonly memoryGBps: number;
  /** The last cache before memory, which intermediate results stay in. */
  readonly cacheMB: number;
  readonly cacheGBps: number;
  /** Bytes of workgroup memory that a unit moves in a clock. */
  readonly ldsBytesPerClock: number;
}

const RDNA = { proxy: false, simds: 2, lanes: 32, scalarUnit: true, multiplication: 4, ldsBytesPerClock: 128 };
const NVIDIA = { proxy: true, simds: 4, lanes: 32, scalarUnit: false, ldsBytesPerClock: 128 };

export const CARDS: readonly Card[] = [
  {
    ...RDNA,
    name: "Radeon RX 7900 XTX",
    adapter: "7900 XTX",
    family: "navi31",
    units: 96,
    ghz: 2.3,
    memoryGBps: 960,
    cacheMB: 96,
    cacheGBps: 3500,
  },
  {
    ...RDNA,
    name: "Radeon RX 6800",
    adapter: "RX 6800(?! XT)",
    family: "navi21",
    units: 60,
    ghz: 1.815,
    memoryGBps: 512,
    cacheMB: 128,
    cacheGBps: 1660,
  },
  {
    ...RDNA,
    name: "Radeon 780M, integrated",
    adapter: "780M",
    family: "phoenix",
    units: 12,
    ghz: 2.7,
    memoryGBps: 102,
    cacheMB: 2,
    cacheGBps: 900,
  },
  {
    ...NVIDIA,
    name: "like a GTX 1080",
    adapter: "GTX 1080(?! Ti)",
    family: "navi21",
    units: 20,
    multiplication: 3,
    ghz: 1.733,
    memoryGBps: 320,
    cacheMB: 2,
    cacheGBps: 900,
  },
  {
    ...NVIDIA,
    name: "like an H100",
    adapter: "H[12]00",
    family: "navi21",
    units: 132,
    multiplication: 2,
    ghz: 1.7,
    memoryGBps: 3350,
    cacheMB: 50,
    cacheGBps: 5500,
  },
];

/** Those to compile for. */
export const familiesOf = (cards: readonly Card[]): string[] => [...new Set(cards.map(({ family }) => family))];
