import { test } from "vitest";
import { Runtime } from "../src/graph/runtime.js";
import { timeKernels } from "../bench/kernels.js";
import { testDevice } from "./helpers/device.js";
test("bench", async () => {
  const { device, description } = await testDevice();
  const runtime = new Runtime(device, { software: description.isSoftware });
  for (const filter of (process.env.F ?? "").split(",")) await timeKernels(runtime, { filter, onRow: (l: string) => console.log("ROW " + l) } as never);
}, 600000);
