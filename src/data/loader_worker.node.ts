/** A thread of the loader: it prepares one example after another, in the order they are asked for. Built as `loader_worker.js`. */
import { parentPort, workerData } from "node:worker_threads";
import { answer, buffersOf, type SampleRequest } from "./sample_messages.node.js";
import { SampleReader } from "./sample_reader.node.js";

const reader = new SampleReader(Number(workerData.cacheBytes));
let last = Promise.resolve();

parentPort?.on("message", (request: SampleRequest) => {
  last = last.then(async () => {
    const reply = await answer(reader, request);
    parentPort?.postMessage(reply, "sample" in reply ? buffersOf(reply.sample) : []);
  });
});
