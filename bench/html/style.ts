/** The page's style: system fonts, light and dark, colours that stay apart for the colour-blind. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: light-dark(#f6f7f9, #101317); --card: light-dark(#ffffff, #181c22); --line: light-dark(#e2e5ea, #2a3038);
  --ink: light-dark(#1b2129, #e6e9ee); --soft: light-dark(#626d7b, #96a1b0);
  --compute: light-dark(#2f6fd0, #6ea8ff); --memory: light-dark(#c7741a, #f0a64f); --plain: light-dark(#7b8794, #8b97a5);
  --good: light-dark(#1f8a5b, #4cc38a); --bad: light-dark(#c43c4b, #ff7a86); --violet: light-dark(#7a54c0, #b498f5);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .25rem; letter-spacing: -.01em; }
h2 { font-size: 1.15rem; margin: 0 0 .25rem; }
p { margin: 0 0 1rem; color: var(--soft); max-width: 60rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem 1.4rem; margin-top: 1.25rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .8rem; margin-top: 1.5rem; }
.cards div { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .8rem 1rem; }
.cards b { display: block; white-space: nowrap; font-size: 1.4rem; font-weight: 600; letter-spacing: -.02em; font-variant-numeric: tabular-nums; }
.cards span, .cards small { color: var(--soft); display: block; font-size: .82rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .86rem; }
table.wide { width: 100%; min-width: 54rem; }
th { font-weight: 500; color: var(--soft); border-bottom: 1px solid var(--line); }
th, td { text-align: right; padding: .28rem .5rem; white-space: nowrap; }
th.text, td.text { text-align: left; }
th:first-child, td:first-child { padding-left: 0; } th:last-child, td:last-child { padding-right: 0; }
tbody tr:hover { background: color-mix(in srgb, var(--ink) 5%, transparent); }
td.fact { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.stack { display: flex; height: 26px; border-radius: 7px; overflow: hidden; margin: .7rem 0 1rem; gap: 1px; }
.stack i { display: block; min-width: 1px; }
.key { display: inline-block; width: .7rem; height: .7rem; border-radius: 3px; margin-right: .5rem; }
.c0 { background: light-dark(#2f6fd0, #5b97f0); } .c1 { background: light-dark(#c7741a, #eb9c41); }
.c2 { background: light-dark(#1f8a5b, #3fb37c); } .c3 { background: light-dark(#7a54c0, #a586ee); }
.c4 { background: light-dark(#b8406f, #e7769f); } .c5 { background: light-dark(#1b8fa6, #4bbcd2); }
.c6 { background: light-dark(#8a7a1c, #c6b548); } .c7 { background: light-dark(#5d6b7c, #8695a8); }
.c8 { background: light-dark(#b3bac4, #48515d); }
.meter span { display: inline-block; vertical-align: middle; width: 5.5rem; height: 8px; margin-right: .6rem; border-radius: 4px; overflow: hidden; background: var(--line); }
.meter em { display: inline-block; width: 4rem; font-style: normal; }
.meter i { display: block; height: 100%; border-radius: 4px; background: var(--plain); }
.meter i.compute { background: var(--compute); } .meter i.memory { background: var(--memory); }
.tag { font-weight: 500; font-size: .8rem; padding: .06rem .5rem; border-radius: 99px; color: var(--plain); background: color-mix(in srgb, var(--plain) 15%, transparent); }
.tag.compute { color: var(--compute); background: color-mix(in srgb, var(--compute) 15%, transparent); }
.tag.memory, .tag.traffic { color: var(--memory); background: color-mix(in srgb, var(--memory) 15%, transparent); }
.tag.launch { color: var(--violet); background: color-mix(in srgb, var(--violet) 15%, transparent); }
.tag.threads { color: var(--good); background: color-mix(in srgb, var(--good) 15%, transparent); }
.slower { color: var(--bad); } .faster { color: var(--good); }
.chart { width: 100%; min-width: 54rem; display: block; font-size: 12px; }
.chart text { fill: var(--ink); } .chart .tick, .chart .axis, .chart .case { fill: var(--soft); } .chart .value { font-variant-numeric: tabular-nums; }
.chart .group { font-weight: 600; font-size: 13px; } .chart .label { font-weight: 600; } .chart .best .name, .chart .best .value { font-weight: 700; }
.grid { stroke: var(--line); } .hit { fill: transparent; } .row:hover .hit { fill: color-mix(in srgb, var(--ink) 5%, transparent); }
.roof { fill: none; stroke: var(--ink); stroke-width: 2; stroke-linejoin: round; }
.dot { fill: var(--compute); fill-opacity: .55; stroke: var(--compute); } .dot:hover { fill-opacity: 1; }
.dot.network { fill: var(--memory); stroke: var(--memory); } .dot.training { fill: var(--violet); stroke: var(--violet); }
.bar { fill: var(--plain); opacity: .35; } .bar.compute, .end.compute { fill: var(--compute); } .bar.memory, .end.memory { fill: var(--memory); }
.end { fill: var(--plain); } .floor { stroke: var(--ink); stroke-width: 2; stroke-linecap: round; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; color: var(--soft); font-size: .86rem; margin-bottom: .6rem; }
.legend i.key.compute { background: var(--compute); } .legend i.key.memory { background: var(--memory); }
.legend i.tick { display: inline-block; width: 2px; height: .9rem; background: var(--ink); vertical-align: -2px; margin-right: .5rem; }
`;
