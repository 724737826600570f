/** A loss is told as one, whichever of its two signs an implementation gives first. */
import { expect, test } from "vitest";
import { DeviceLostError } from "../src/errors.js";
import { orLost } from "../src/gpu/scopes.js";

const deviceLostAfter = (ms: number | null): GPUDevice =>
  ({
    lost: new Promise((resolve) => {
      if (ms !== null) setTimeout(() => resolve({ reason: "destroyed", message: "gone" }), ms);
    }),
  }) as unknown as GPUDevice;

test("work that the loss broke, before the news of it", async () => {
  const broken = Promise.reject(new Error("Parent device is lost"));
  await expect(orLost(deviceLostAfter(5), broken)).rejects.toThrow(DeviceLostError);
});

test("work that never settles", async () => {
  await expect(orLost(deviceLostAfter(5), new Promise(() => {}))).rejects.toThrow(DeviceLostError);
});

test("a fault of another kind stays what it is", async () => {
  await expect(orLost(deviceLostAfter(null), Promise.reject(new Error("invalid shader")))).rejects.toThrow(
    "invalid shader",
  );
});
