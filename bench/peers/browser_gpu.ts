/** A `navigator.gpu` for libraries that were written for browsers: dawn's, on the adapter that this engine would take. */
import { globals } from "webgpu";
import { type AdapterSource, keep, requestAdapter } from "../../src/gpu/dawn.node.js";
import { bundledAdapter, type Candidate, systemAdapters } from "../../src/gpu/open_device.node.js";

const FLAGS = ["enable-dawn-features=vulkan_enable_f16_on_nvidia"];

export interface BrowserAdapter {
  readonly name: string;
  readonly isSoftware: boolean;
}

export async function provideNavigator(): Promise<BrowserAdapter> {
  const { source, description } = await chooseAdapter(process.env.S2AM_ADAPTER || "auto");
  const { name, isSoftware } = description;
  Object.assign(globalThis, globals);
  const navigator = {
    gpu: {
      // An adapter gives one device only, so every request gets an adapter of its own.
      requestAdapter: () => adapterOf(source, name),
      getPreferredCanvasFormat: () => "rgba8unorm",
    },
    userAgent: "Node",
  };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  return { name, isSoftware };
}

async function adapterOf(source: AdapterSource, name: string): Promise<GPUAdapter | null> {
  const { adapter } = await requestAdapter(source, [...FLAGS, `adapter=${name}`]);
  if (adapter) keep(adapter);
  return adapter;
}

async function chooseAdapter(choice: string): Promise<Candidate> {
  if (choice === "bundled") return bundledAdapter();
  for await (const candidate of systemAdapters()) {
    const { name, isSoftware } = candidate.description;
    const fits =
      choice === "auto" ||
      (choice === "software" && isSoftware) ||
      (choice === "gpu" && !isSoftware) ||
      name.toLowerCase().includes(choice.toLowerCase());
    if (fits) return candidate;
  }
  return bundledAdapter();
}
