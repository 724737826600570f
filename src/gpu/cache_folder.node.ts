/** Where Node keeps what outlives a process: the unpacked software adapter, a user's tuning tables. */
import { homedir, tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";

/** The user's cache (XDG_CACHE_HOME, else ~/.cache), else a private folder in the system's temporary one. */
export function cacheFolders(): [first: string, second: string] {
  const xdg = process.env.XDG_CACHE_HOME;
  const cache = xdg && isAbsolute(xdg) ? xdg : join(homeFolder(), ".cache");
  return [join(cache, "s2am-webgpu"), join(tmpdir(), `s2am-webgpu-${userId()}`)];
}

// A container may run under a user id that has no entry, and so no home.
function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return tmpdir();
  }
}

export const userId = (): number => process.getuid?.() ?? 0;
