/** `s2am doctor`: what this machine offers, whether it computes right, and what mends it. */
import { Command } from "commander";
import type { DeviceCheck } from "../gpu/device_checks.js";
import { diagnose, formatReport } from "../gpu/doctor.node.js";
import { Runtime } from "../graph/runtime.js";
import { checkCase } from "../kernels/check.js";
import { conv2dSuite } from "../kernels/conv2d/cases.js";
import { findMatrixUnits } from "../kernels/matrix_units.js";
import { f16Rows } from "../kernels/suite.js";
import { type CommandContext, type CommonOptions, printResult, withCommonOptions } from "./app.js";
import { withAdapterOption } from "./model_options.js";

export function doctorCommand(_: CommandContext): Command {
  const command = new Command("doctor")
    .description(
      "print adapter, features, limits and driver, what is missing and the command that mends it; check a kernel",
    )
    .addHelpText("after", "\nExamples:\n  s2am doctor\n  s2am doctor --adapter bundled --json");
  withAdapterOption(withCommonOptions(command));
  return command.action(async (options: CommonOptions & { adapter?: string }) => {
    const report = await diagnose({ adapter: options.adapter, furtherChecks: checkMatrixUnits });
    printResult(options, report, [formatReport(report)]);
    if (!report.ok) process.exitCode = 2;
  });
}

const NAME = "matrix units";
/** Of conv2d's table: sizes off the tiles, and both tensors stored as f16. */
const ROW = "1x13x37x24-40_k3s1p1_bias_leaky_relu_f16";

/** Compiles the kernel for matrix units, and compares what it computes with float64. */
async function checkMatrixUnits(device: GPUDevice): Promise<readonly DeviceCheck[]> {
  const { units, reason } = await findMatrixUnits(device);
  if (!units) return [{ name: NAME, outcome: "absent", detail: reason }];
  const row = conv2dSuite.cases.flatMap((one) => f16Rows(conv2dSuite, one)).find(({ name }) => name === ROW);
  if (!row) throw new Error(`doctor: conv2d has no case ${ROW}`);
  const runtime = new Runtime(device, { matrixUnits: units });
  try {
    const { worst, detail } = await checkCase(runtime, conv2dSuite, row, "subgroup_matrix");
    const { m, n, k, lanes } = units;
    if (worst > 1) return [{ name: NAME, outcome: "failed", detail: `a convolution is wrong: ${detail}` }];
    const what = `${m}x${n}x${k} of f16 with f32 sums, ${lanes} threads; a convolution is right (--matrix-units)`;
    return [{ name: NAME, outcome: "passed", detail: what }];
  } catch (error) {
    return [{ name: NAME, outcome: "failed", detail: error instanceof Error ? error.message : String(error) }];
  } finally {
    runtime.dispose();
  }
}
