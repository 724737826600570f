/**
 * Turns `shaders/*.wgsl` into one typed module, `src/shaders.generated.ts`: source, override names, specialisable
 * constants and binding names of each shader, so that a misspelt binding does not compile and Node, bundlers and
 * browsers all load plain ESM. Lines `// use lib/NAME` append `shaders/lib/NAME.wgsl`: WGSL ignores declaration order.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const shadersFolder = join(root, "shaders");
const output = join(root, "src", "shaders.generated.ts");

function withLibraries(source, seen = new Set()) {
  let text = source;
  for (const [, name] of source.matchAll(/^\/\/ use (lib\/\w+)$/gm)) {
    if (seen.has(name)) continue;
    seen.add(name);
    const library = readFileSync(join(shadersFolder, `${name}.wgsl`), "utf8");
    text += `\n${withLibraries(library, seen)}`;
  }
  return text;
}

const names = (text, pattern) => [...text.matchAll(pattern)].map((match) => match[1]);
const union = (list) => (list.length === 0 ? "never" : list.map((name) => JSON.stringify(name)).join(" | "));

function declare(file) {
  const stem = file.replace(/\.wgsl$/, "");
  const source = withLibraries(readFileSync(join(shadersFolder, file), "utf8"));
  const required = names(source, /^override (\w+)\s*:\s*\w+\s*;/gm);
  const defaulted = names(source, /^override (\w+)\s*:\s*\w+\s*=/gm);
  const consts = names(source, /^const (\w+)\s*:\s*u32\s*=.*\/\/ specialised/gm);
  const types = names(source, /^alias (\w+)\s*=.*\/\/ specialised/gm);
  // A uniform holds a struct of scalars, a line each; a library may bring one of its own.
  const fieldsOf = (type) => {
    const body = new RegExp(`^struct ${type} \\{([^}]*)\\}`, "m").exec(source)?.[1] ?? "";
    const fields = [...body.matchAll(/^\s*(\w+)\s*:\s*(u32|i32|f32)/gm)].map(([, name, type]) => ({ name, type }));
    if (fields.length === 0)
      throw new Error(`shaders/${file}: a uniform needs a "struct ${type}" of scalars, a line each`);
    return fields;
  };
  const bindings = [
    ...source.matchAll(
      /^@group\(0\) @binding\((\d+)\) var<(storage, read_write|storage, read|uniform)> (\w+)\s*:\s*(\w+)/gm,
    ),
  ].map(([, binding, space, name, type]) => ({
    name,
    binding: Number(binding),
    access: space === "uniform" ? "uniform" : space === "storage, read_write" ? "read_write" : "read",
    fields: space === "uniform" ? fieldsOf(type) : [],
  }));
  const params = bindings.flatMap(({ fields }) => fields.map(({ name }) => name));
  const operands = bindings.filter(({ access }) => access !== "uniform");
  if (bindings.length === 0) throw new Error(`shaders/${file}: no "@group(0) @binding(n) var<...> name" line found`);
  const generics = [required, defaulted, consts, types, operands.map((b) => b.name), params].map(union).join(", ");
  const value = {
    name: stem,
    source,
    bindings,
    overrides: [...required, ...defaulted],
    required,
    consts,
    types,
  };
  return `export const ${stem}: Shader<${generics}> = ${JSON.stringify(value)};`;
}

export function buildShaders() {
  const files = readdirSync(shadersFolder)
    .filter((file) => file.endsWith(".wgsl"))
    .sort();
  const text = [
    "// Generated from shaders/ by scripts/build_shaders.mjs. Edit the .wgsl files instead.",
    'import type { Shader } from "./gpu/shader.js";',
    "",
    ...files.map(declare),
    "",
  ].join("\n");
  mkdirSync(dirname(output), { recursive: true });
  let previous = "";
  try {
    previous = readFileSync(output, "utf8");
  } catch {
    // First build.
  }
  if (previous !== text) writeFileSync(output, text);
  return files.length;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  console.error(`shaders: ${buildShaders()} built`);
}
