/** `npm run test:deno`: the engine on Deno's WebGPU. One file after the other: each starts processes that take all cores. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/deno/*.test.ts"],
    testTimeout: 1_800_000,
    hookTimeout: 600_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
