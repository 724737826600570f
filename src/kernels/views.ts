/** What variants say about views: the overrides that shaders read them by, and whether four channels can go at once. */
import {
  type Capabilities,
  ceilDiv,
  grid1d,
  type NodePlan,
  type Problem,
  type TensorView,
  type Variant,
} from "../graph/op.js";
import type { DType } from "../graph/tensor.js";

type ViewOverrides<Name extends string> = Readonly<Record<`${Name}_PITCH` | `${Name}_OFFSET`, number>>;

/** X_PITCH and X_OFFSET of a view. */
export const viewOverrides = <Name extends string>(name: Name, { pitch, offset }: TensorView): ViewOverrides<Name> =>
  ({ [`${name}_PITCH`]: pitch, [`${name}_OFFSET`]: offset }) as ViewOverrides<Name>;

type ViewParams<Name extends string> = Readonly<Record<`${Name}_pitch` | `${Name}_offset`, number>>;

/** x_pitch and x_offset of a view, for shaders that take their shapes as parameters; zeros for an absent operand. */
export const viewParams = <Name extends string>(name: Name, view: TensorView | null): ViewParams<Name> =>
  ({ [`${name}_pitch`]: view?.pitch ?? 0, [`${name}_offset`]: view?.offset ?? 0 }) as ViewParams<Name>;

/** Whether a view can be read as vec4s along its channels. */
export const isVec4 = ({ shape, pitch, offset }: TensorView): boolean =>
  (shape.at(-1) ?? 0) % 4 === 0 && pitch % 4 === 0 && offset % 4 === 0;

/** WGSL's type of the elements of a tensor, or of `lanes` of them. */
export const typeOf = ({ dtype }: { readonly dtype: DType }, lanes: 1 | 4 = 1): string =>
  lanes === 1 ? dtype : `vec4<${dtype}>`;

/** A number of channels rounded up to whole vec4s. */
export const upTo4 = (channels: number): number => Math.ceil(channels / 4) * 4;

/** How many channels a thread of a shader that uses lib/lanes.wgsl handles at once. */
export interface Lanes {
  readonly count: 1 | 4;
  readonly consts: { readonly LANES: number };
  /** What it computes with, always f32; what it loads and stores is `typeOf(view, count)`. */
  readonly types: { readonly T: string };
}

const LANES_1: Lanes = { count: 1, consts: { LANES: 1 }, types: { T: "f32" } };
const LANES_4: Lanes = { count: 4, consts: { LANES: 4 }, types: { T: "vec4<f32>" } };

/** Four where every view allows it. */
export const lanesOf = (views: readonly TensorView[]): Lanes => (views.every(isVec4) ? LANES_4 : LANES_1);

/** Workgroups of 64 for one thread an item. */
export const threads = (items: number): [number, number, number] => grid1d(ceilDiv(items, 64));

/**
 * The variants of an op whose shader uses lib/lanes.wgsl: `vec4` and the readable `direct`.
 * @param vectors the views that the shader reads or writes as one element or four
 * @param options.f16 whether the shader's storage types are told apart from T
 */
export function laneVariants<Attrs>(
  vectors: (problem: Problem<Attrs>) => readonly TensorView[],
  plan: (problem: Problem<Attrs>, lanes: Lanes, capabilities: Capabilities) => NodePlan,
  { f16 = false }: Pick<Variant<Attrs>, "f16"> = {},
): readonly Variant<Attrs>[] {
  return [
    {
      name: "vec4",
      features: [],
      f16,
      accepts: (problem) => vectors(problem).every(isVec4),
      plan: (problem, capabilities) => plan(problem, LANES_4, capabilities),
    },
    {
      name: "direct",
      features: [],
      f16,
      accepts: () => true,
      plan: (problem, capabilities) => plan(problem, LANES_1, capabilities),
    },
  ];
}
