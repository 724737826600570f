/** Browsers that are installed on this machine. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * The one that `variable` names, else the first of `names` on the path; null when there is none, which is said on the terminal
 * and in CI is an error.
 */
export function findBrowser(
  browser: string,
  names: readonly string[],
  variable: string,
  debianPackage: string,
): string | null {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  const given = process.env[variable];
  const found = (given ? [given] : candidates).find(isExecutable);
  if (found) return found;
  const message = given ? `${variable}=${given} is no executable file` : `there is no ${browser} on this machine`;
  const cure = `install one (apt-get install ${debianPackage}) or set ${variable} to its path`;
  if (process.env.CI || given) throw new Error(`${message}, and the browser tests need it: ${cure}`);
  console.warn(`\n*** THE TESTS IN ${browser.toUpperCase()} ARE SKIPPED: ${message}. To run them, ${cure}. ***\n`);
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
