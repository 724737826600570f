/** Maps with more tiles than a dimension of workgroups may count. */
import { expect, test } from "vitest";
import { Runtime } from "../src/graph/runtime.js";
import { checkCase, runnableVariants } from "../src/kernels/check.js";
import { conv2dSuite } from "../src/kernels/conv2d/cases.js";
import { testDevice } from "./helpers/device.js";

test("a convolution of 1500 x 1500 pixels", async () => {
  const { device, description } = await testDevice();
  const runtime = new Runtime(device, { software: description.isSoftware });
  const row = {
    name: "1x1500x1500x1-4_k1s1p0",
    shapes: [[1, 1500, 1500, 1], [1, 1, 1, 4], null],
    attrs: { stride: 1, padding: 0 },
  };
  for (const variant of runnableVariants(conv2dSuite, row, runtime)) {
    const { worst, detail } = await checkCase(runtime, conv2dSuite, row, variant, { maxChecked: 20_000 });
    expect(worst, `${variant}: ${detail}`).toBeLessThanOrEqual(1);
  }
  runtime.dispose();
});
