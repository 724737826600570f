/** Where the time of a network or a training step goes: one bar cut by kernel, and a row each. */
import type { KernelShare } from "../breakdown.js";
import { bytes, escapeXml, milliseconds, percent, short } from "./format.js";

/** Slices with a colour of their own; the rest share the last. */
const COLOURS = 8;

export function sharesOf(shares: readonly KernelShare[]): string {
  const whole = shares.reduce((sum, { ms }) => sum + ms, 0);
  if (whole <= 0) return "";
  const colour = (i: number): string => `c${Math.min(i, COLOURS)}`;
  const slices = shares.map(({ kernel, ms }, i) => {
    const share = (100 * ms) / whole;
    return `<i class="${colour(i)}" style="width:${share.toFixed(3)}%" title="${escapeXml(kernel)}: ${milliseconds(ms)}, ${share.toFixed(1)} %"></i>`;
  });
  const rows = shares.map((share, i) => {
    const { kernel, count, ms, floorMs, percentOfFloor, gflops, gbps, movedBytes, limit, bound } = share;
    const solid = Math.min(100, percentOfFloor ?? 0);
    const cells = [
      `<td class="text"><i class="key ${colour(i)}"></i>${escapeXml(kernel)}</td>`,
      `<td>${count}</td>`,
      `<td>${short(ms)}</td>`,
      `<td>${((100 * ms) / whole).toFixed(1)}</td>`,
      `<td>${floorMs === null ? "–" : short(floorMs)}</td>`,
      `<td class="meter"><span><i class="${bound ?? "plain"}" style="width:${solid.toFixed(1)}%"></i></span><em>${percent(percentOfFloor)}</em></td>`,
      `<td>${gflops.toFixed(gflops < 10 ? 2 : 1)}</td>`,
      `<td>${gbps.toFixed(2)}</td>`,
      `<td>${bytes(movedBytes)}</td>`,
      `<td class="text">${limit === null ? "" : `<b class="tag ${limit.split(" ")[0]}">${escapeXml(limit)}</b>`}</td>`,
    ];
    return `<tr>${cells.join("")}</tr>`;
  });
  const heads = ["kernel", "passes", "ms", "% of all", "floor ms", "of its floor", "GFLOP/s", "GB/s", "moved", "limit"];
  const head = heads.map((name, i) => `<th${i === 0 || i === 9 ? ' class="text"' : ""}>${name}</th>`).join("");
  return `<div class="stack">${slices.join("")}</div>
<div class="scroll"><table class="wide"><thead><tr>${head}</tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`;
}
