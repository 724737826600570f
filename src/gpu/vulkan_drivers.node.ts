/**
 * What this Linux machine has in the way of Vulkan drivers and GPUs, read from files alone, and what is missing: pairs of
 * a problem and the command that mends it.
 */
import { accessSync, constants, existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, join } from "node:path";
import { strayManifests } from "./dawn.node.js";

export interface DriverManifest {
  path: string;
  /** The driver's library, as the manifest names it; empty when the file cannot be read. */
  library: string;
  apiVersion: string;
}

export interface GpuNode {
  path: string;
  vendor: "nvidia" | "amd" | "intel" | "other";
  accessible: boolean;
}

export interface VulkanFacts {
  /** /etc/os-release's ID, ID_LIKE and VERSION_CODENAME. */
  distribution: string;
  manifests: DriverManifest[];
  gpus: GpuNode[];
  /** Variables that steer the Vulkan loader, as the user set them. */
  variables: Record<string, string>;
  /** What dawn and the drivers said when the system's adapters were asked for. */
  messages: string[];
  hasHardwareAdapter: boolean;
  hasSystemAdapter: boolean;
  /** A hardware adapter was asked for. */
  wantsHardware: boolean;
}

export interface Finding {
  problem: string;
  /** A command, or a sentence where no command does it. */
  cure: string;
}

export function gatherVulkanFacts(
  seen: Pick<VulkanFacts, "messages" | "hasHardwareAdapter" | "hasSystemAdapter" | "wantsHardware">,
): VulkanFacts {
  return {
    ...seen,
    distribution: distribution(),
    manifests: manifestPaths().map(readManifest),
    gpus: gpuNodes(),
    variables: Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) => (name.startsWith("VK_") && value ? [[name, value]] : [])),
    ),
  };
}

/** Pure: the same facts give the same findings. */
export function adviseVulkan(facts: VulkanFacts): Finding[] {
  const findings: Finding[] = [];
  const { manifests, gpus, distribution, hasHardwareAdapter } = facts;
  for (const name of ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"]) {
    if (!facts.variables[name]) continue;
    for (const { path, library } of manifests) {
      if (library === "")
        findings.push({ problem: `${name} names ${path}, which cannot be read`, cure: `unset ${name}` });
    }
  }
  if (facts.wantsHardware && gpus.length === 0) {
    findings.push({
      problem: "no GPU is visible (neither /dev/dri/renderD* nor /dev/nvidia*)",
      cure: "in a container or virtual machine, pass the GPU in (docker run --gpus all, or --device /dev/dri)",
    });
  }
  const blocked = gpus.filter(({ accessible }) => !accessible);
  if (!hasHardwareAdapter && blocked.length > 0) {
    const paths = blocked.map(({ path }) => path).join(", ");
    findings.push({
      problem: `this user may not open ${paths}`,
      cure: "sudo usermod -aG render,video $USER   (then log in again; in a container, pass the device in)",
    });
  }
  const nvidia = gpus.some(({ vendor }) => vendor === "nvidia");
  if (!hasHardwareAdapter && nvidia && !manifests.some(({ library }) => /nvidia/i.test(library))) {
    findings.push({
      problem: "an NVIDIA GPU is here, the Vulkan manifest of its driver (nvidia_icd.json) is not",
      cure:
        "in a container: NVIDIA_DRIVER_CAPABILITIES=all; else: export VK_DRIVER_FILES=/path/to/nvidia_icd.json " +
        "(find / -name 'nvidia_icd*.json'), or install the full driver",
    });
  }
  const mesaGpu = gpus.some(({ vendor, accessible }) => accessible && (vendor === "amd" || vendor === "intel"));
  if (!hasHardwareAdapter && mesaGpu) {
    findings.push({
      problem: "an AMD or Intel GPU is here, no Vulkan driver takes it",
      cure: installMesa(distribution),
    });
  }
  const refused = facts.messages.some((message) => /required/i.test(message));
  if (!facts.hasSystemAdapter && refused) {
    findings.push({
      problem: `the installed driver lacks what WebGPU requires (${facts.messages.join("; ")})`,
      cure: installMesa(distribution),
    });
  } else if (!facts.hasSystemAdapter && manifests.length === 0 && gpus.length === 0) {
    findings.push({
      problem: "no Vulkan driver is installed; the bundled SwiftShader serves, Mesa's lavapipe is usually faster",
      cure: installMesa(distribution),
    });
  }
  return findings;
}

/** Debian 12's own Mesa (22.3) is refused by dawn; its backports have a newer one. */
function installMesa(distribution: string): string {
  if (/bookworm/.test(distribution)) return "apt-get install -t bookworm-backports mesa-vulkan-drivers libvulkan1";
  if (/debian|ubuntu/.test(distribution)) return "apt-get install mesa-vulkan-drivers libvulkan1";
  if (/fedora|rhel|centos|amzn/.test(distribution)) return "dnf install mesa-vulkan-drivers vulkan-loader";
  if (/arch/.test(distribution)) return "pacman -S vulkan-swrast vulkan-icd-loader";
  if (/suse/.test(distribution)) return "zypper install Mesa-vulkan-device-select libvulkan_lvp libvulkan1";
  return "install a Vulkan driver (Mesa 24 or newer) and a Vulkan loader";
}

function distribution(): string {
  try {
    const release = readFileSync("/etc/os-release", "utf8");
    return [...release.matchAll(/^(?:ID|ID_LIKE|VERSION_CODENAME)="?([^"\n]*)"?$/gm)]
      .map((match) => match[1])
      .join(" ");
  } catch {
    return "";
  }
}

/** Where a Vulkan loader looks: the user's list if there is one, else its fixed folders; and those it is told of here. */
function manifestPaths(): string[] {
  const { env } = process;
  const list = (value: string | undefined): string[] => value?.split(delimiter).filter(Boolean) ?? [];
  const chosen = list(env.VK_DRIVER_FILES || env.VK_ICD_FILENAMES);
  if (chosen.length > 0) return chosen;
  const roots = [
    env.XDG_CONFIG_HOME || join(homedir(), ".config"),
    ...list(env.XDG_CONFIG_DIRS || "/etc/xdg"),
    "/etc",
    env.XDG_DATA_HOME || join(homedir(), ".local/share"),
    ...list(env.XDG_DATA_DIRS || "/usr/local/share:/usr/share"),
  ];
  const found = roots.flatMap((root) => filesIn(join(root, "vulkan/icd.d"), /\.json$/));
  return [...new Set([...list(env.VK_ADD_DRIVER_FILES), ...found, ...strayManifests()])];
}

function readManifest(path: string): DriverManifest {
  try {
    const { ICD } = JSON.parse(readFileSync(path, "utf8")) as { ICD: { library_path: string; api_version: string } };
    return { path, library: ICD.library_path, apiVersion: ICD.api_version };
  } catch {
    return { path, library: "", apiVersion: "" };
  }
}

function gpuNodes(): GpuNode[] {
  const vendors: Record<string, GpuNode["vendor"]> = { "0x10de": "nvidia", "0x1002": "amd", "0x8086": "intel" };
  const render = filesIn("/dev/dri", /^renderD\d+$/).map((path): GpuNode => {
    const id = readText(`/sys/class/drm/${basename(path)}/device/vendor`);
    return { path, vendor: vendors[id] ?? "other", accessible: isAccessible(path) };
  });
  const nvidia = filesIn("/dev", /^nvidia\d+$/).map(
    (path): GpuNode => ({ path, vendor: "nvidia", accessible: isAccessible(path) }),
  );
  return [...render, ...nvidia];
}

function filesIn(folder: string, pattern: RegExp): string[] {
  if (!existsSync(folder)) return [];
  try {
    return readdirSync(folder)
      .filter((file) => pattern.test(file))
      .sort()
      .map((file) => join(folder, file));
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function isAccessible(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
