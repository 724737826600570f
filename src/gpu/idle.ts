/**
 * dawn.node polls the device in a busy loop for as long as a promise is pending. On a software adapter that takes a third
 * of two cores from the "GPU" itself (measured: 668 ms of the main thread's time in a run of about a second, 39 ms with
 * this), so while such a device works Node's thread sleeps a millisecond at a time.
 */
const NAP_MS = 1;

export async function waitIdly<T>(work: Promise<T>): Promise<T> {
  const immediate: ((callback: () => void) => unknown) | undefined = globalThis.setImmediate;
  if (!immediate || typeof SharedArrayBuffer === "undefined") return work; // a browser, which does not poll
  let pending = true;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const nap = (): void => {
    if (!pending) return;
    Atomics.wait(cell, 0, 0, NAP_MS);
    immediate(nap);
  };
  immediate(nap);
  try {
    return await work;
  } finally {
    pending = false;
  }
}
