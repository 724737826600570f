/** What `scripts/build_shaders.mjs` knows of a shader: the types make a misspelt binding or override a compile error. */
export type Access = "read" | "read_write" | "uniform";

/** A scalar of a uniform's struct: what a shader is told a dispatch, so that one pipeline serves many shapes. */
export interface ShaderParam {
  readonly name: string;
  readonly type: "u32" | "i32" | "f32";
}

export interface ShaderBinding {
  readonly name: string;
  readonly binding: number;
  readonly access: Access;
  /** Of a uniform's struct; none of a storage binding. */
  readonly fields: readonly ShaderParam[];
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

/** A shader with its names as string unions: overrides without and with a default, constants, types, bindings, parameters. */
export interface Shader<
  Required extends string,
  Defaulted extends string,
  Consts extends string,
  Types extends string,
  Bindings extends string,
  Params extends string,
> extends AnyShader {
  /** Never present at run time; carries the names for `pass()`. */
  readonly names?: {
    required: Required;
    defaulted: Defaulted;
    consts: Consts;
    types: Types;
    bindings: Bindings;
    params: Params;
  };
}
