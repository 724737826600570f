/** One harmonization in a process of its own, as the command line does it. Its reply is a line of JSON on stdout. */
import { writeFileSync } from "node:fs";
import { S2amError } from "../../../src/errors.js";
import { availableMemory } from "../../../src/gpu/host_memory.node.js";
import { exitNow } from "../../../src/gpu/libc.node.js";
import { decodeImage } from "../../../src/image/codec.node.js";
import { encodePngQuickly } from "../../../src/image/sharp.node.js";
import { openDevice, openHarmonizer } from "../../../src/node.js";
import type { Job, Reply, Run } from "./job.js";

async function run(job: Job): Promise<Run> {
  const { composite, mask, weights, workingSize, output } = job;
  const { device, description } = await openDevice({ adapter: job.adapter, log: () => undefined });
  const software = description.isSoftware && { software: true, memoryLimit: availableMemory() };
  const { harmonizer } = await openHarmonizer(weights, { device, ...software });
  const input = { image: await decodeImage(composite), mask: await decodeImage(mask) };
  const { image, workedAt } = await harmonizer.harmonize(input, { workingSize });
  writeFileSync(output, await encodePngQuickly(image));
  const endToEndMs = performance.now();
  const peakRssBytes = process.resourceUsage().maxRSS * 1024;
  const peakBufferBytes = harmonizer.network.runtime.memory.peakBytes;
  const { modelMs } = await harmonizer.harmonize(input, { workingSize });
  return { adapter: description.name, workedAt, endToEndMs, modelMs, peakRssBytes, peakBufferBytes };
}

async function reply(): Promise<Reply> {
  try {
    return { run: await run(JSON.parse(process.argv[2] ?? "{}")) };
  } catch (error) {
    if (!(error instanceof S2amError)) throw error;
    return { failed: error.message };
  }
}

const text = `${JSON.stringify(await reply())}\n`;
await new Promise((left) => process.stdout.write(text, left));
exitNow(0);
