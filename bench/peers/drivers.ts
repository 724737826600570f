/** The Vulkan driver that every engine is to load: ONNX Runtime brings a dawn of its own, which cannot be told of an adapter. */
import { bundledVulkan } from "../../src/gpu/software_adapter.node.js";
import { gatherVulkanFacts } from "../../src/gpu/vulkan_drivers.node.js";

/** Variables that leave a Vulkan loader one driver; none where the system's own choice is meant. */
export function driverEnvironment(choice: string): Record<string, string> {
  if (process.platform !== "linux") return {};
  if (choice === "bundled") {
    const { manifest, folder } = bundledVulkan();
    return { ...only(manifest), LD_LIBRARY_PATH: [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":") };
  }
  if (choice !== "software" && !/llvmpipe|lavapipe/i.test(choice)) return {};
  const { manifests } = gatherVulkanFacts({
    messages: [],
    hasHardwareAdapter: false,
    hasSystemAdapter: true,
    wantsHardware: false,
  });
  const software = manifests.find(({ library }) => /lvp|swiftshader/i.test(library));
  return software ? only(software.path) : {};
}

const only = (manifest: string): Record<string, string> => ({
  VK_DRIVER_FILES: manifest,
  VK_ICD_FILENAMES: manifest, // the same, for loaders before 1.3.207
});
