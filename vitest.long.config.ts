/** `npm run test:long`: every test there is, and ten times the random cases. */
import { defineConfig, mergeConfig } from "vitest/config";
import quick from "./vitest.config.js";

const long = mergeConfig(quick, {
  test: {
    env: { S2AM_LONG: "1", S2AM_RANDOM_CASES: process.env.S2AM_RANDOM_CASES ?? "200" },
    testTimeout: 1_800_000,
    hookTimeout: 600_000,
  },
});

// Merging would add to the quick configuration's list, which leaves the long ones out.
export default defineConfig({ ...long, test: { ...long.test, exclude: ["test/deno/**"] } });
