/** Opens each adapter named on the command line in turn ("-": no option) and prints what came, one JSON line each. */
import { S2amError } from "../../../src/errors.js";
import { checkDevice } from "../../../src/gpu/device_checks.js";
import { openDevice } from "../../../src/gpu/open_device.node.js";

for (const adapter of process.argv.slice(2)) {
  try {
    const opened = await openDevice(adapter === "-" ? {} : { adapter });
    const checks = await checkDevice(opened.device);
    const failed = checks.filter(({ outcome }) => outcome === "failed");
    const { name, isSoftware } = opened.description;
    console.log(JSON.stringify({ choice: opened.choice, name, isSoftware, failed }));
    await opened.close();
  } catch (error) {
    if (!(error instanceof S2amError)) throw error;
    console.log(JSON.stringify({ error: error.message, code: error.code }));
  }
}
