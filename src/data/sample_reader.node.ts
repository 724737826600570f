/**
 * From the files of an example to the arrays that training, validation and evaluation take. It runs in the loader's
 * threads, and gives the same bits wherever it runs and whatever it remembers.
 */
import { type FloatImage, fromFloat, toFloatRgb } from "../image/float.js";
import type { Image } from "../image/image.js";
import { maskFromImage } from "../image/mask.js";
import { type ProtocolName, protocolOf } from "../image/protocols.js";
import { resize, resizeToRgb } from "../image/resize.js";
import { mulberry32 } from "../random.js";
import { augment, LEAST_CROP, type Pictures, randomColours, type Sample } from "./augment.js";
import type { Entry } from "./dataset.js";
import type { Subject, SynthSpec } from "./synth/spec.js";
import { type Composite, Synthesizer } from "./synth/synthesizer.node.js";
import { readTriple, type Triple } from "./triple.node.js";

/**
 * What is made of an example: a random variation, the plain picture, what a protocol of evaluation looks at, or a composite
 * that no file holds, of one of the spec's subjects.
 */
export type Preparation =
  | { readonly kind: "augmented"; readonly size: number; readonly seed: number }
  | { readonly kind: "plain"; readonly size: number }
  | { readonly kind: "protocol"; readonly protocol: ProtocolName; readonly size?: number }
  | { readonly kind: "synthetic"; readonly subject: number; readonly seed: number; readonly recolour: boolean };

/** 16-bit pictures, large enough that the smallest crop is not enlarged. Three of them are half of what floats would be. */
type Reduced = Readonly<Record<"composite" | "mask" | "target", Image>>;

export class SampleReader {
  private readonly reduced = new Map<string, Reduced>();
  private room: number;

  private readonly synthesizer: Synthesizer | null;

  /**
   * @param cacheBytes what may be remembered of pictures that are seen again; nothing is ever dropped for another
   * @param synth what synthetic examples are made from
   */
  constructor(
    cacheBytes: number,
    private readonly synth: SynthSpec | null = null,
  ) {
    this.room = synth ? 0 : cacheBytes;
    this.synthesizer = synth && new Synthesizer(synth, cacheBytes);
  }

  /** @throws InputError where a file cannot be read or does not fit the others */
  async read(entry: Entry, preparation: Preparation): Promise<Sample> {
    const { name } = entry;
    switch (preparation.kind) {
      case "augmented": {
        const { size, seed } = preparation;
        const reduced = await this.reducedFor(entry, Math.ceil(size / LEAST_CROP));
        return { name, ...augment(toFloat(reduced), size, mulberry32(seed)) };
      }
      case "plain":
        return { name, ...squeeze(await readTriple(entry), preparation.size) };
      case "protocol": {
        const { picture, mask } = protocolOf(preparation.protocol, preparation.size);
        const triple = await readTriple(entry);
        const eightBit = (image: Image): FloatImage<3> => toFloatRgb(picture(image));
        return {
          name,
          composite: eightBit(triple.composite),
          mask: mask(triple.mask),
          target: eightBit(triple.target),
        };
      }
      case "synthetic": {
        const { subject, seed, recolour } = preparation;
        const pictures = await this.synthesize(subject, seed);
        if (!recolour) return { name, ...pictures };
        const change = randomColours(mulberry32(seed));
        return { ...pictures, name, composite: change(pictures.composite), target: change(pictures.target) };
      }
    }
  }

  /** One that is not as good as a set of files would hold is better than none: which one is seen hangs on the seed alone. */
  private async synthesize(subject: number, seed: number): Promise<Pictures> {
    if (!this.synth || !this.synthesizer) throw new Error("a synthetic example without a spec");
    const { made, last } = await this.synthesizer.make(this.synth.subjects[subject] as Subject, seed);
    return floatsOf(made ?? last, this.synth.size);
  }

  private async reducedFor(entry: Entry, longest: number): Promise<Reduced> {
    const key = `${longest} ${entry.composite}`;
    const known = this.reduced.get(key);
    if (known) return known;
    const reduced = reduce(await readTriple(entry), longest);
    const bytes = Object.values(reduced).reduce((sum, { data }) => sum + data.byteLength, 0);
    if (bytes <= this.room) {
      this.room -= bytes;
      this.reduced.set(key, reduced);
    }
    return reduced;
  }
}

function floatsOf({ composite, mask, natural }: Composite, size: number): Pictures {
  const form = { width: size, height: size, depth: 8 } as const;
  const rgb = (data: Uint8Array): FloatImage<3> => toFloatRgb({ ...form, channels: 3, data });
  return {
    composite: rgb(composite),
    mask: maskFromImage({ ...form, channels: 1, data: mask }),
    target: rgb(natural),
  };
}

function squeeze({ composite, mask, target }: Triple, size: number): Pictures {
  return {
    composite: resizeToRgb(composite, size, size),
    mask: resize(mask, size, size),
    target: resizeToRgb(target, size, size),
  };
}

/** No side longer than `longest`; the aspect goes the way of the square that all ends in. */
function reduce({ composite, mask, target }: Triple, longest: number): Reduced {
  const width = Math.min(longest, composite.width);
  const height = Math.min(longest, composite.height);
  const rgb = (image: Image): Image => fromFloat(resizeToRgb(image, width, height), 16);
  return { composite: rgb(composite), mask: fromFloat(resize(mask, width, height), 16), target: rgb(target) };
}

const toFloat = ({ composite, mask, target }: Reduced): Pictures => ({
  composite: toFloatRgb(composite),
  mask: maskFromImage(mask),
  target: toFloatRgb(target),
});
