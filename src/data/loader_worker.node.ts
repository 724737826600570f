/** A thread of a WorkerPool: it does tasks in the order they are asked for. Built as `loader_worker.js`. */
import { parentPort, workerData } from "node:worker_threads";
import { buffersOf, type SampleThread, sampleHandler } from "./sample_pool.node.js";
import { type CompositeThread, compositeHandler } from "./synth/composite_pool.node.js";
import { work } from "./worker_pool.node.js";

const data = workerData as SampleThread | CompositeThread;
if (data.role === "samples") serve(sampleHandler(data), 1, ({ sample }) => buffersOf(sample));
else serve(compositeHandler(data), 2); // one is computed while the other is decoded or encoded

function serve<Task extends object, Result extends object>(
  handle: (task: Task) => Promise<Result>,
  together: number,
  handedOver: (result: Result) => ArrayBuffer[] = () => [],
): void {
  const lines = Array.from({ length: together }, () => Promise.resolve());
  let turn = 0;
  parentPort?.on("message", (task: Task & { readonly id: number }) => {
    const line = turn++ % together;
    lines[line] = (lines[line] as Promise<void>).then(async () => {
      const worked = await work(handle, task);
      parentPort?.postMessage(worked, "error" in worked ? [] : handedOver(worked));
    });
  });
}
