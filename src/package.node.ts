/** Files that travel with the package, found from wherever the code runs: `dist/`, or `src/` in tests. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NAME = "s2am-webgpu";

function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (;;) {
    const manifest = join(folder, "package.json");
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, "utf8")).name === NAME) return folder;
    const parent = dirname(folder);
    if (parent === folder)
      throw new Error(`the package.json of ${NAME} was not found above ${fileURLToPath(import.meta.url)}`);
    folder = parent;
  }
}

export const packageFile = (...parts: readonly string[]): string => join(packageRoot(), ...parts);

export const packageVersion = (): string => JSON.parse(readFileSync(packageFile("package.json"), "utf8")).version;

/** The weights in the box. */
export const DEFAULT_WEIGHTS = (): string => packageFile("weights", "s2ad16.safetensors");
