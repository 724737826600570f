/** The figures as one page that needs no other file and no network. */
import { escapeXml } from "../html/format.js";
import { STYLE } from "../html/style.js";
import { type IsaComparison, showComparison } from "./compare.js";
import { instructionsPerMultiplyAdd, type KernelFigures, multiplyAddShare } from "./figures.js";
import type { FamilyRecord, IsaRecord } from "./record.js";
import { nameIn } from "./table.js";
import { workloadName } from "./workload.js";

const HEAD = [
  "kernel",
  "of the vector instructions, multiply-adds",
  "instructions a multiply-add",
  "waves",
  "VGPR",
  "LDS",
  "spills",
  "scratch",
  "div",
  "mul",
  "uses",
];

export function pageOf(record: IsaRecord, comparison: IsaComparison | null): string {
  const { command, date, versions, families } = record;
  const title = `bench:isa: ${workloadName(record.workload)}`;
  const facts = { command, date, ...versions };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeXml(title)}</title>
<style>${STYLE}</style>
</head>
<body><main>
<h1>${escapeXml(workloadName(record.workload))}</h1>
<p>What the compiler of cards that are not there made of the kernels. Bars and counts are of a kernel's hottest loop, or of all of it
where its work is in none (*). Nothing ran, nothing was timed.</p>
${families.map(familySection).join("\n")}
${comparison ? `<section><h2>Against an earlier file</h2><pre>${escapeXml(showComparison(comparison).join("\n"))}</pre></section>` : ""}
<section><h2>This run</h2><table><tbody>${Object.entries(facts)
    .map(
      ([name, value]) => `<tr><td class="text">${escapeXml(name)}</td><td class="fact">${escapeXml(value)}</td></tr>`,
    )
    .join("\n")}</tbody></table></section>
</main></body>
</html>
`;
}

function familySection({ family, card, kernels }: FamilyRecord): string {
  const head = HEAD.map((name, i) => `<th${i < 2 ? ' class="text"' : ""}>${escapeXml(name)}</th>`).join("");
  const rows = kernels.map((row) => kernelRow(nameIn(kernels, row), row)).join("\n");
  return `<section><h2>${escapeXml(`${family}, ${card}`)}</h2><div class="scroll"><table class="wide"><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

function kernelRow(name: string, row: KernelFigures): string {
  const share = multiplyAddShare(row);
  const meter =
    share === null
      ? ""
      : `<span class="meter"><em>${(100 * share).toFixed(0)} %</em><span><i class="compute" style="width:${(100 * share).toFixed(0)}%"></i></span></span>`;
  const bad = (value: number): string => `<td${value > 0 ? ' class="slower"' : ""}>${value}</td>`;
  const { loop, waves, vgprs, lds, spilledVgprs, spilledSgprs, scratch, uses } = row;
  const cells = [waves, vgprs, lds].map((value) => `<td>${value}</td>`).join("");
  return `<tr><td class="text">${escapeXml(`${name}${loop.whole ? " *" : ""}`)}</td><td class="text">${meter}</td><td>${instructionsPerMultiplyAdd(row)?.toFixed(2) ?? ""}</td>${cells}${[
    spilledVgprs + spilledSgprs,
    scratch,
    loop.divisions,
    loop.multiplications,
  ]
    .map(bad)
    .join("")}<td>${uses}</td></tr>`;
}
