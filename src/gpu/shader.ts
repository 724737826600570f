/** What `scripts/build_shaders.mjs` knows of a shader: the types make a misspelt binding or override a compile error. */
export type Access = "read" | "read_write" | "uniform";

export interface ShaderBinding {
  readonly name: string;
  readonly binding: number;
  readonly access: Access;
}

/** The untyped view, for code that handles every shader alike. */
export interface AnyShader {
  readonly name: string;
  readonly source: string;
  readonly bindings: readonly ShaderBinding[];
  readonly overrides: readonly string[];
  readonly required: readonly string[];
  readonly consts: readonly string[];
  readonly types: readonly string[];
}

/** A shader with its names as string unions: overrides without and with a default, constants, types, bindings. */
export interface Shader<
  Required extends string,
  Defaulted extends string,
  Consts extends string,
  Types extends string,
  Bindings extends string,
> extends AnyShader {
  /** Never present at run time; carries the names for `pass()`. */
  readonly names?: { required: Required; defaulted: Defaulted; consts: Consts; types: Types; bindings: Bindings };
}
