/** Which adapter a table was measured on, and whether that is this one: a newer driver of the same device still is. */
import { type AdapterDescription, describeAdapter } from "../gpu/device.js";

/** JSON-able. Texts are lower-case, empty where a browser withholds them. */
export interface AdapterIdentity {
  readonly vendor: string;
  readonly architecture: string;
  /** Without what changes with the driver: `llvmpipe-256bits`. */
  readonly device: string;
  /** Threads in a subgroup, at least and at most: kernels depend on them. 0 when unknown. */
  readonly subgroups: readonly [least: number, most: number];
  /** As the driver describes itself; for people, not compared. */
  readonly driver: string;
}

/** Parts of a normalised name that are its driver's versions: `-llvm-15-0-6`. */
const DRIVER_PARTS = /(^|-)(llvm|drm|mesa|driver|linux)(-\d+)+(?=-|$)/g;

const normalise = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");

export function adapterIdentity(source: GPUDevice | AdapterDescription): AdapterIdentity {
  const description = "queue" in source ? describeAdapter(source) : source;
  const { vendor, architecture, device, subgroupMinSize, subgroupMaxSize } = description;
  return {
    vendor: normalise(vendor),
    architecture: normalise(architecture),
    device: deviceName(device),
    subgroups: [subgroupMinSize, subgroupMaxSize],
    driver: description.description,
  };
}

/** `llvmpipe (LLVM 15.0.6, 256 bits)` to `llvmpipe-256bits`: the width of a vector unit is no part of a version. */
const deviceName = (name: string): string =>
  normalise(
    normalise(name)
      .replace(/(\d+)-bits/, "$1bits")
      .replace(DRIVER_PARTS, ""),
  );

/**
 * Whether what was measured on one adapter holds for the other. A browser may withhold the device's name: then vendor and
 * architecture speak for it.
 */
export function sameAdapter(a: AdapterIdentity, b: AdapterIdentity): boolean {
  const withheld = a.vendor !== "" && a.architecture !== "" && (a.device === "" || b.device === "");
  return (
    a.vendor === b.vendor &&
    a.architecture === b.architecture &&
    a.subgroups[0] === b.subgroups[0] &&
    a.subgroups[1] === b.subgroups[1] &&
    (a.device === b.device || withheld)
  );
}

/** A name for files and messages: `mesa-software-llvmpipe-256bits-8`. */
export function identityName({ vendor, architecture, device, subgroups: [least, most] }: AdapterIdentity): string {
  const sizes = least === most ? [least] : [least, most];
  return [vendor, architecture, device, ...sizes].filter((part) => part !== "").join("-");
}
