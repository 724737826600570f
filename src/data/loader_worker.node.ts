/** A thread of a WorkerPool: it does one task after another, in the order they are asked for. Built as `loader_worker.js`. */
import { parentPort, workerData } from "node:worker_threads";
import { buffersOf, type SampleThread, sampleHandler } from "./sample_pool.node.js";
import { type CompositeThread, compositeHandler } from "./synth/composite_pool.node.js";
import { work } from "./worker_pool.node.js";

const data = workerData as SampleThread | CompositeThread;
if (data.role === "samples") serve(sampleHandler(data), ({ sample }) => buffersOf(sample));
else serve(compositeHandler(data));

function serve<Task extends object, Result extends object>(
  handle: (task: Task) => Promise<Result>,
  handedOver: (result: Result) => ArrayBuffer[] = () => [],
): void {
  let last = Promise.resolve();
  parentPort?.on("message", (task: Task & { readonly id: number }) => {
    last = last.then(async () => {
      const worked = await work(handle, task);
      parentPort?.postMessage(worked, "error" in worked ? [] : handedOver(worked));
    });
  });
}
