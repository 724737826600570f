/** A user's own tables in Node: one file an adapter in the cache folder, and the device that is opened with them. */
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { InputError } from "../errors.js";
import { cacheFolders } from "../gpu/cache_folder.node.js";
import type { OpenedDevice } from "../gpu/device.js";
import { type OpenDeviceOptions, openDevice } from "../gpu/open_device.node.js";
import { writeFileAtomic } from "../io/file_write.node.js";
import { isTuningOff, useTuning } from "./device_tuning.js";
import { type AdapterIdentity, adapterIdentity, identityName, sameAdapter } from "./identity.js";
import { assertAdapter, parseTuning, serializeTuning, type TuningFile } from "./table.js";

/** Where the table of an adapter is kept: `~/.cache/s2am-webgpu/tuning/ADAPTER.json`. */
export function userTablePath(identity: AdapterIdentity): string {
  // A name that an adapter gives itself may be long; the table inside says whose it is.
  return join(cacheFolders()[0], "tuning", `${identityName(identity).slice(0, 100) || "unnamed"}.json`);
}

/**
 * @returns null where there is no such file
 * @throws InputError where it cannot be read or is no table
 */
export async function readTable(path: string): Promise<TuningFile | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw new InputError(`${path}: the tuning table cannot be read (${code})`, { cause });
  }
  return parseTuning(text, path);
}

/** @throws InputError where the folder cannot be made or written to */
export async function writeTable(path: string, file: TuningFile): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
    throw new InputError(`${folder}: cannot be made (${cause.code}): set XDG_CACHE_HOME, or give --output`, { cause });
  });
  await writeFileAtomic(path, new TextEncoder().encode(serializeTuning(file)));
}

/** The user's table for an adapter; one that is not sound is left alone, and `warn` told why. */
export async function readUserTable(
  identity: AdapterIdentity,
  warn: (message: string) => void,
): Promise<TuningFile | null> {
  try {
    const file = await readTable(userTablePath(identity));
    return file && sameAdapter(file.adapter, identity) ? file : null;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    warn(`${error.message}; ignored`);
    return null;
  }
}

export interface OpenTunedOptions extends OpenDeviceOptions {
  /** A file that wins over every other table, or false for no tables at all: the heuristics decide. */
  readonly tuning?: string | boolean | undefined;
}

/**
 * `openDevice`, with what is known of the adapter's speeds attached: runtimes on the device choose by the file that is
 * given, then the user's own table, then the one in the box. S2AM_TUNING=off leaves all of them out.
 * @throws InputError where the file that is given is no table, or another adapter's
 */
export async function openTunedDevice(options: OpenTunedOptions = {}): Promise<OpenedDevice> {
  const { tuning } = options;
  const given = typeof tuning === "string" ? await readGiven(tuning) : null;
  const opened = await openDevice(options);
  try {
    const identity = adapterIdentity(opened.device);
    if (tuning === false || (!given && isTuningOff())) {
      useTuning(opened.device, "off");
      return opened;
    }
    if (given) assertAdapter(given, identity, String(tuning));
    const warn = options.log ?? ((line: string) => void process.stderr.write(`${line}\n`));
    const own = await readUserTable(identity, warn);
    useTuning(
      opened.device,
      [given, own].filter((file) => file !== null),
    );
    return opened;
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function readGiven(path: string): Promise<TuningFile> {
  const file = await readTable(path);
  if (!file) throw new InputError(`${path}: no such tuning table; make one with s2am tune --output ${path}`);
  return file;
}
