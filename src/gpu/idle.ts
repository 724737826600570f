/**
 * dawn.node polls the device in a busy loop for as long as a promise is pending. On a software adapter that takes a third
 * of two cores from the "GPU" itself (measured: 668 ms of the main thread's time in a run of about a second, 39 ms with
 * this), so while such a device works Node's thread sleeps a millisecond at a time.
 */
const NAP_MS = 1;

export async function waitIdly<T>(work: Promise<T>): Promise<T> {
  // A browser does not poll, and its main thread may not wait.
  if (typeof globalThis.process?.versions?.node !== "string") return work;
  let pending = true;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const nap = (): void => {
    if (!pending) return;
    Atomics.wait(cell, 0, 0, NAP_MS);
    globalThis.setImmediate(nap);
  };
  globalThis.setImmediate(nap);
  try {
    return await work;
  } finally {
    pending = false;
  }
}
