/** Constants, types and unrolled loops written into shader sources. */
import { expect, test } from "vitest";
import { specialize } from "../src/gpu/specialize.js";

const SOURCE = `alias T = f32;            // specialised
const LANES: u32 = 1u;    // specialised
fn f(v: T) -> T { return v; }
`;

test("constants and types are replaced, the rest stays", () => {
  const text = specialize(SOURCE, { consts: { LANES: 4 }, types: { T: "vec4<f32>" } });
  expect(text).toContain("alias T = vec4<f32>;");
  expect(text).toContain("const LANES: u32 = 4u;");
  expect(text).toContain("fn f(v: T) -> T { return v; }");
  expect(specialize(SOURCE, {})).toBe(SOURCE);
});

test("a name that the shader does not have is an error that names it", () => {
  expect(() => specialize(SOURCE, { consts: { ROWS: 2 } })).toThrow(/ROWS/);
  expect(() => specialize(SOURCE, { types: { U: "f16" } })).toThrow(/alias U/);
});

test("loops marked @unroll become copies of their body", () => {
  const text = specialize(
    `const ROWS: u32 = 2u;    // specialised
for (var i = 0u; i < ROWS; i++) { // @unroll
  sum[i] += index[i];
}
`,
    { consts: { ROWS: 3 } },
  );
  expect(text).not.toContain("for");
  for (const i of [0, 1, 2]) expect(text).toContain(`sum[${i}u] += index[${i}u];`);
  expect(text).not.toContain("3u]");
});

test("nested loops unroll inside out or outside in alike", () => {
  const text = specialize(
    `for (var i = 0u; i < 2u; i++) { // @unroll
  for (var j = 1u; j < 3u; j++) { // @unroll
    if (j > 0u) { f(i, j); }
  }
}
after();
`,
    {},
  );
  const calls = [...text.matchAll(/f\((\d)u, (\d)u\)/g)].map(([, i, j]) => `${i}${j}`);
  expect(calls).toEqual(["01", "02", "11", "12"]);
  expect(text.trimEnd().endsWith("after();")).toBe(true);
  expect(text.split("{").length).toBe(text.split("}").length);
});

test("loops without the mark stay, and a bound that is no constant is an error", () => {
  const loop = "for (var i = 0u; i < n; i++) {\n  f(i);\n}\n";
  expect(specialize(loop, {})).toBe(loop);
  expect(() => specialize(loop.replace("{\n", "{ // @unroll\n"), {})).toThrow(/"n"/);
});
