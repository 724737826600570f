/** Where the system's software Vulkan driver lies, for processes that choose a driver by the variable VK_ICD_FILENAMES. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

const MANIFESTS = ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"];

/** The manifest of Mesa's lavapipe; null where there is none, which is said on the terminal and in CI is an error. */
export function findLavapipe(): string | null {
  for (const folder of MANIFESTS.filter((one) => existsSync(one))) {
    const file = readdirSync(folder).find((one) => /^lvp_icd.*\.json$/.test(one));
    if (file) return join(folder, file);
  }
  const cure = "apt-get install mesa-vulkan-drivers libvulkan1";
  if (process.env.CI) throw new Error(`lavapipe is missing, and these tests need it: ${cure}`);
  console.warn(`\n*** TESTS ON LAVAPIPE ARE SKIPPED: it is not installed (${cure}) ***\n`);
  return null;
}
