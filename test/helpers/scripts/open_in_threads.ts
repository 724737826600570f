/** Opens each adapter named on the command line in a thread of its own, all at once, and prints what they got as JSON. */
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { checkDevice } from "../../../src/gpu/device_checks.js";
import { openDevice } from "../../../src/gpu/open_device.node.js";

if (isMainThread) {
  const workers = process.argv.slice(2).map((choice) => new Worker(new URL(import.meta.url), { workerData: choice }));
  const answers = await Promise.all(workers.map((worker) => once(worker, "message")));
  console.log(JSON.stringify(answers.flat()));
} else {
  const { choice, device, description, close } = await openDevice({
    adapter: String(workerData),
    log: () => undefined,
  });
  const failed = (await checkDevice(device)).filter(({ outcome }) => outcome === "failed");
  await close();
  parentPort?.postMessage({ choice, name: description.name, isSoftware: description.isSoftware, failed });
}
