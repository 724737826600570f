/** The tables in the box: one an adapter that is known, each written by `s2am tune --output`. */
import { checkTuning, type TuningFile } from "./table.js";
import lavapipe from "./tables/lavapipe.json";
import swiftshader from "./tables/swiftshader.json";

const TABLES: Readonly<Record<string, unknown>> = { lavapipe, swiftshader };

let checked: readonly TuningFile[] | undefined;

/** Checked once, when they are first wanted. */
export function shippedTables(): readonly TuningFile[] {
  checked ??= Object.entries(TABLES).map(([name, table]) => checkTuning(table, `the table of ${name} in the box`));
  return checked;
}
