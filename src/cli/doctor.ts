/** `s2am doctor`: what this machine offers, whether it computes right, which tuning tables apply, and what mends it. */
import { Command } from "commander";
import type { DeviceCheck } from "../gpu/device_checks.js";
import { type DoctorReport, diagnose, formatReport } from "../gpu/doctor.node.js";
import { findMatrixUnits } from "../kernels/matrix_units.js";
import { isTuningOff } from "../tuning/device_tuning.js";
import { adapterIdentity, sameAdapter } from "../tuning/identity.js";
import { shippedTables } from "../tuning/shipped.js";
import type { TuningFile } from "../tuning/table.js";
import { readUserTable, userTablePath } from "../tuning/user_tables.node.js";
import { ENGINE_VERSION } from "../version.js";
import { type CommandContext, type CommonOptions, printResult, withCommonOptions } from "./app.js";
import { withAdapterOption } from "./model_options.js";

interface TableFacts {
  readonly entries: number;
  readonly engine: string;
  readonly date: string;
  readonly driver: string;
}

interface TuningReport {
  /** False where S2AM_TUNING=off. */
  readonly used: boolean;
  /** The user's own table, which wins: where it lies or would lie, and what is in it. */
  readonly own: { readonly path: string; readonly table: TableFacts | null; readonly problem: string | null };
  /** The one in the box, where there is one of this adapter. */
  readonly shipped: TableFacts | null;
}

export function doctorCommand(_: CommandContext): Command {
  const command = new Command("doctor")
    .description(
      "print adapter, features, limits and driver, what is missing and the command that mends it; check a kernel",
    )
    .addHelpText("after", "\nExamples:\n  s2am doctor\n  s2am doctor --adapter bundled --json");
  withAdapterOption(withCommonOptions(command));
  return command.action(async (options: CommonOptions & { adapter?: string }) => {
    const report = await diagnose({ adapter: options.adapter, furtherChecks: checkMatrixUnits });
    const tuning = report.adapter && (await tuningReport(report.adapter));
    printResult(options, { ...report, tuning }, [formatReport(report), ...(tuning ? tuningLines(tuning) : [])]);
    if (!report.ok) process.exitCode = 2;
  });
}

async function tuningReport(adapter: NonNullable<DoctorReport["adapter"]>): Promise<TuningReport> {
  const identity = adapterIdentity(adapter);
  let problem: string | null = null;
  const own = await readUserTable(identity, (message) => {
    problem = message;
  });
  const shipped = shippedTables().find((table) => sameAdapter(table.adapter, identity));
  return {
    used: !isTuningOff(),
    own: { path: userTablePath(identity), table: own && factsOf(own), problem },
    shipped: shipped ? factsOf(shipped) : null,
  };
}

const factsOf = ({ entries, engine, date, adapter }: TuningFile): TableFacts => ({
  entries: Object.keys(entries).length,
  engine,
  date,
  driver: adapter.driver,
});

function tuningLines({ used, own, shipped }: TuningReport): string[] {
  const show = ({ entries, engine, date }: TableFacts): string => {
    const old = engine === ENGINE_VERSION ? "" : ` (this is ${ENGINE_VERSION}: s2am tune measures again)`;
    return `${entries} problems, measured ${date.slice(0, 10)} with ${engine}${old}`;
  };
  const ownLine =
    own.problem ?? (own.table ? `${own.path}: ${show(own.table)}` : "none of yours (s2am tune makes one)");
  return [
    `tuning    ${used ? "" : "off by S2AM_TUNING; "}${ownLine}`,
    `tuning    in the box: ${shipped ? show(shipped) : "none of this adapter; the heuristics decide"}`,
  ];
}

const NAME = "matrix units";
/** Compiles the kernel for matrix units, and compares what it computes with float64. */
async function checkMatrixUnits(device: GPUDevice): Promise<readonly DeviceCheck[]> {
  const found = await findMatrixUnits(device);
  if (!found.units) return [{ name: NAME, outcome: found.wrong ? "failed" : "absent", detail: found.reason }];
  const { m, n, k, lanes } = found.units;
  const what = `${m}x${n}x${k} of f16 with f32 sums, ${lanes} threads; a convolution is right (--matrix-units)`;
  return [{ name: NAME, outcome: "passed", detail: what }];
}
