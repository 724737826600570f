/**
 * Writes numbers and types that WGSL's `override` cannot express (lengths of register arrays, element types) into a
 * shader's source, and unrolls loops marked `// @unroll`: Tint never unrolls, and a private array that a loop variable
 * indexes may land in memory instead of registers.
 */
export interface Specialization {
  readonly consts?: Readonly<Record<string, number>>;
  readonly types?: Readonly<Record<string, string>>;
}

const UNROLLED_LOOP = /for \(var (\w+) = (\w+); \1 < (\w+); \1\+\+\) \{ \/\/ @unroll\n/;

/**
 * @param source WGSL whose specialisable lines read `const NAME: u32 = 4u; // specialised` or `alias T = f32; // specialised`
 * @returns the source, with `enable f16` before it where a type needs that
 * @throws Error when a name has no such line: the shader and its variant have drifted apart
 */
export function specialize(source: string, { consts = {}, types = {} }: Specialization): string {
  let text = source;
  for (const [name, value] of Object.entries(consts)) {
    text = replaceLine(
      text,
      new RegExp(`^const ${name}\\s*:\\s*u32\\s*=[^;]*;`, "m"),
      `const ${name}: u32 = ${value}u;`,
    );
  }
  for (const [name, type] of Object.entries(types)) {
    text = replaceLine(text, new RegExp(`^alias ${name}\\s*=[^;]*;`, "m"), `alias ${name} = ${type};`);
  }
  const f16 = Object.values(types).some((type) => /\bf16\b/.test(type)) && !/^enable f16;/m.test(text);
  return (f16 ? "enable f16;\n" : "") + unroll(text);
}

function replaceLine(text: string, line: RegExp, replacement: string): string {
  if (!line.test(text)) throw new Error(`specialize: the shader has no line "${replacement.replace(/=.*/, "= ...;")}"`);
  return text.replace(line, replacement);
}

function unroll(source: string): string {
  let text = source;
  for (let match = UNROLLED_LOOP.exec(text); match; match = UNROLLED_LOOP.exec(text)) {
    const [header, variable = "", from = "", to = ""] = match;
    const bodyStart = match.index + header.length;
    const bodyEnd = matchingBrace(text, bodyStart);
    const body = text.slice(bodyStart, bodyEnd);
    const uses = new RegExp(`\\b${variable}\\b`, "g");
    const copies: string[] = [];
    for (let i = constantValue(text, from); i < constantValue(text, to); i++)
      copies.push(`{\n${body.replace(uses, `${i}u`)}}\n`);
    text = text.slice(0, match.index) + copies.join("") + text.slice(bodyEnd + 1);
  }
  return text;
}

function matchingBrace(text: string, start: number): number {
  let depth = 1;
  for (let i = start; i < text.length; i++) {
    if (text[i] === "{") depth++;
    if (text[i] === "}" && --depth === 0) return i;
  }
  throw new Error("specialize: a loop marked @unroll has no closing brace");
}

/** The value of a literal or of a module constant, whose own expression may use +, -, *, /, % and other constants. */
function constantValue(text: string, name: string): number {
  const literal = /^(\d+)u?$/.exec(name)?.[1];
  if (literal !== undefined) return Number(literal);
  const expression = new RegExp(`^const ${name}\\s*(?::\\s*u32)?\\s*=\\s*([^;]+);`, "m").exec(text)?.[1];
  if (expression === undefined)
    throw new Error(`specialize: the bound "${name}" of an @unroll loop is not a literal or a constant`);
  const tokens = expression.match(/\w+|[-+*/%()]/g) ?? [];
  const value = sum();
  if (tokens.length > 0) throw new Error(`specialize: cannot evaluate "${expression}" of constant ${name}`);
  return value;

  function sum(): number {
    let total = product();
    while (tokens[0] === "+" || tokens[0] === "-")
      total = tokens.shift() === "+" ? total + product() : total - product();
    return total;
  }
  function product(): number {
    let total = factor();
    while (tokens[0] === "*" || tokens[0] === "/" || tokens[0] === "%") {
      const operator = tokens.shift();
      const right = factor();
      total = operator === "*" ? total * right : operator === "/" ? Math.floor(total / right) : total % right;
    }
    return total;
  }
  function factor(): number {
    const token = tokens.shift() ?? "";
    if (token !== "(") return constantValue(text, token);
    const inner = sum();
    tokens.shift(); // the closing parenthesis
    return inner;
  }
}
