/** The device and the network: opened when first asked for, kept, and opened anew after a loss or a failure. */
import { Harmonizer, type LoadProgress, type OpenedDevice, openBrowserDevice } from "../src/index.js";

/** Relative, so that the page can lie in any folder. */
const WEIGHTS = new URL("weights/s2ad16.safetensors", document.baseURI);

let opened: Promise<OpenedDevice> | null = null;
let loaded: Harmonizer | null = null;

export function openDevice(): Promise<OpenedDevice> {
  opened ??= openBrowserDevice().then(
    (result) => {
      void result.device.lost.then(forget);
      return result;
    },
    (error: unknown) => {
      forget();
      throw error;
    },
  );
  return opened;
}

export async function loadHarmonizer(
  signal: AbortSignal,
  onProgress: (progress: LoadProgress) => void,
): Promise<Harmonizer> {
  const { device } = await openDevice();
  loaded ??= await Harmonizer.load(WEIGHTS, { device, signal, onProgress });
  return loaded;
}

function forget(): void {
  opened = null;
  loaded = null;
}
