/** `s2am bench --toggles`: what `--unsafe-fast` gives, toggle by toggle. */
import { benchToggles, showToggleRow, TOGGLE_HEADER } from "../../bench/toggles.js";
import { writeFileAtomic } from "../io/file_write.node.js";
import type { ModelConfig } from "../model/config.js";
import { packageVersion } from "../package.node.js";
import { type CommonOptions, printResult } from "./app.js";

interface Options extends CommonOptions {
  readonly size: number;
  readonly batch: number;
  readonly adapter?: string;
  readonly output?: string;
}

export async function benchTogglesCommand(
  network: ModelConfig,
  options: Options,
  log: (line: string) => void,
): Promise<void> {
  const { size, batch, adapter: asked, output } = options;
  const { adapter, toggles } = await benchToggles({ config: network, size, batch, adapter: asked, log });
  const results = {
    command: `s2am ${process.argv.slice(2).join(" ")}`,
    date: new Date().toISOString(),
    versions: { s2am: packageVersion(), node: process.version, platform: `${process.platform} ${process.arch}` },
    adapter,
    network,
    size,
    batch,
    toggles,
  };
  if (output) await writeFileAtomic(output, new TextEncoder().encode(`${JSON.stringify(results, null, 2)}\n`));
  printResult(options, results, [TOGGLE_HEADER, ...toggles.map(showToggleRow)]);
}
