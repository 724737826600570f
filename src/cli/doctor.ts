/** `s2am doctor`: what this machine offers, whether it computes right, and what mends it. */
import { Command } from "commander";
import { diagnose, formatReport } from "../gpu/doctor.node.js";
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
    const report = await diagnose({ adapter: options.adapter });
    printResult(options, report, [formatReport(report)]);
    if (!report.ok) process.exitCode = 2;
  });
}
