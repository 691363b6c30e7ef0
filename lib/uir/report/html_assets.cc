#include "uir/report/html_assets.h"

namespace uir {

// Line colours: those of M. Okabe and K. Ito (Color Universal Design), which readers of all kinds of colour vision tell
// apart, lightened for dark pages; dashes tell them apart in print.
const std::string_view kHtmlStyle = R"(<style>
:root {
  color-scheme: light dark;
  --ink: #1b1f24; --quiet: #5c6570; --paper: #ffffff; --card: #f5f7f9; --line: #d5dbe1; --fine: #e9edf1;
  --link: #0b5cad; --warn: #9a3b00; --best: #e6f2ea;
  --s0: #0072b2; --s1: #d55e00; --s2: #009e73; --s3: #b8568d; --s4: #1b1f24; --s5: #b57d00; --s6: #3a9bd4; --s7: #6b7280;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6e9ec; --quiet: #9aa4af; --paper: #14171a; --card: #1d2126; --line: #3a424b; --fine: #262c32;
    --link: #7ab8f5; --warn: #ffb079; --best: #1d3528;
    --s0: #56b4e9; --s1: #ff8b3d; --s2: #2fcf9f; --s3: #e59cc6; --s4: #e6e9ec; --s5: #f0b93a; --s6: #9fd3ff; --s7: #a7afb8;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem 1.25rem 4rem; max-width: 76rem; background: var(--paper); color: var(--ink);
  overflow-wrap: break-word; font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; margin: .5rem 0 1rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; overflow-wrap: anywhere; }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
.quiet { color: var(--quiet); font-weight: normal; font-size: .9em; }
.warning { color: var(--warn); font-weight: 600; font-size: .9em; }
th .warning { margin-left: .75em; }
.models { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); gap: .75rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .9rem; }
.card h2 { margin: 0 0 .25rem; font-size: 1.05rem; }
.provenance { font-size: .85rem; border-collapse: collapse; }
.provenance th { text-align: left; font-weight: normal; color: var(--quiet); padding: 0 .9em 0 0; vertical-align: top; }
.provenance td { overflow-wrap: anywhere; padding: 0; }
nav h2 { font-size: 1.05rem; margin-top: 1.5rem; }
nav ul { margin: 0; padding-left: 1.1rem; columns: 22rem; }
nav li { overflow-wrap: anywhere; break-inside: avoid; }
.words { max-width: 60rem; margin: .25rem 0 .75rem; }
.counts { display: flex; flex-wrap: wrap; gap: .25rem 1.75rem; margin: .5rem 0 1rem; }
.counts div { display: flex; gap: .5em; }
.counts dt { color: var(--quiet); }
.counts dd { margin: 0; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
.numbers, .records { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.numbers th, .numbers td, .records th, .records td { padding: .2rem .8rem; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--fine); }
.numbers th:first-child, .records th:first-child { text-align: left; padding-left: .25rem; }
.numbers tbody th:first-child { white-space: normal; overflow-wrap: break-word; min-width: 13.5rem; max-width: 22rem; }
.numbers th[scope=row], .records th { font-weight: normal; }
.numbers thead th { border-bottom: 1px solid var(--line); vertical-align: bottom; }
.numbers thead th:not(:first-child) { white-space: normal; overflow-wrap: break-word; min-width: 6.5rem; max-width: 14rem; }
.numbers thead th.d { min-width: 0; }
.numbers .group th { padding-top: 1rem; font-weight: 600; border-bottom: 1px solid var(--line); }
.records { font-size: .88rem; }
.records th[scope=col] { color: var(--quiet); border-bottom: 1px solid var(--line); }
.numbers td.best { background: var(--best); font-weight: 600; }
.numbers td { position: relative; }
.numbers td.best::after { content: "★"; position: absolute; right: .1rem; font-size: .65em; line-height: 2.4; }
.none { color: var(--quiet); font-style: italic; }
.d, .published { color: var(--quiet); font-weight: normal; }
.numbers td.d, .numbers th.d { padding-left: .1rem; }
.published { border-left: 1px dotted var(--line); }
.notes { font-size: .85rem; color: var(--quiet); margin: .5rem 0 1rem; padding-left: 1.4rem; max-width: 62rem; }
.sources { list-style: none; padding-left: .25rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: .5rem 1.5rem;
  margin-top: 1rem; }
.plots > div { display: contents; }
figure { margin: 0; min-width: 0; max-width: 40rem; break-inside: avoid; }
figcaption { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; font-size: .9rem; padding-left: 3.2rem; }
.legend { display: inline-flex; align-items: center; gap: .45em; min-width: 0; }
.legend span { min-width: 0; overflow-wrap: break-word; }
.sample { flex: none; width: 30px; height: 9px; }
.plot { display: block; width: 100%; height: auto; font-size: 12px; }
.plot text { fill: var(--ink); }
.grid { stroke: var(--line); stroke-width: .7; }
.fine { stroke: var(--fine); stroke-width: .6; }
.frame { fill: none; stroke: var(--quiet); stroke-width: 1; pointer-events: none; }
.mark { stroke: var(--quiet); stroke-width: 1.2; stroke-dasharray: 3 3; }
polyline { fill: none; stroke-width: 1.9; stroke-linejoin: round; }
.s0 { stroke: var(--s0); }
.s1 { stroke: var(--s1); stroke-dasharray: 8 3; }
.s2 { stroke: var(--s2); stroke-dasharray: 2.5 2.5; }
.s3 { stroke: var(--s3); stroke-dasharray: 10 3 2 3; }
.s4 { stroke: var(--s4); stroke-dasharray: 14 4; }
.s5 { stroke: var(--s5); stroke-dasharray: 5 2; }
.s6 { stroke: var(--s6); stroke-dasharray: 1.5 4; }
.s7 { stroke: var(--s7); stroke-dasharray: 12 3 2 3 2 3; }
.cursor { fill: var(--paper); stroke: var(--ink); stroke-width: 1.6; pointer-events: none; }
.readout { display: block; min-height: 1.4em; padding-left: 3.2rem; font-size: .85rem; font-variant-numeric: tabular-nums; }
details { margin: .75rem 0; }
summary { cursor: pointer; font-weight: 600; }
summary::first-letter { text-transform: uppercase; }
.of-model { margin: .6rem 0 .2rem; font-size: .9rem; }
@media (max-width: 40rem) {
  body { padding: .5rem .75rem 3rem; font-size: 14px; }
  .numbers th, .numbers td { padding: .2rem .55rem; }
  .numbers th:first-child:not([colspan]) { position: sticky; left: 0; background: var(--paper); z-index: 1; min-width: 8.5rem; max-width: 9rem; }
  figcaption, .readout { padding-left: .25rem; }
  .plot { font-size: 15px; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; color: #000; background: #fff; }
  nav, .readout { display: none; }
  .scroll { overflow: visible; }
  h2, h3 { break-after: avoid; }
  tr, .card { break-inside: avoid; }
}
</style>
)";

// For every group of curves: the nearest point to the pointer, in the drawing's own units, over all its lines.
const std::string_view kHtmlScript = R"(<script>
//<![CDATA[
"use strict";
for (const group of document.querySelectorAll("[data-curves]")) {
  const data = JSON.parse(group.querySelector("script").textContent);
  const rows = data.points.map(line => line.split(";").map(point => point.split(",")));
  const words = data.columns.map(name => name.length > 4 ? name : name.toUpperCase());
  for (const figure of group.querySelectorAll("figure")) {
    const area = figure.querySelector(".area"), readout = figure.querySelector(".readout");
    const lines = Array.from(area.querySelectorAll("polyline"), line => Array.from(line.points));
    const width = area.width.baseVal.value, height = area.height.baseVal.value;
    const cursor = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    cursor.setAttribute("class", "cursor");
    cursor.setAttribute("r", "4");
    const plot = area.ownerSVGElement;
    const left = area.x.baseVal.value, top = area.y.baseVal.value;
    const hide = () => { cursor.remove(); readout.textContent = "\u00a0"; };
    const show = event => {
      const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse());
      let best = null, nearest = Infinity;
      lines.forEach((points, line) => points.forEach((p, i) => {
        if (p.x < 0 || p.y < 0 || p.x > width || p.y > height) return;
        const distance = (p.x + left - at.x) ** 2 + (p.y + top - at.y) ** 2;
        if (distance < nearest) { nearest = distance; best = {p, line, i}; }
      }));
      if (!best) return hide();
      cursor.setAttribute("cx", best.p.x + left);
      cursor.setAttribute("cy", best.p.y + top);
      plot.append(cursor);
      const values = rows[best.line][best.i].map((value, c) => words[c] + " " + (value || "none"));
      readout.textContent = data.models[best.line] + ": " + values.join(", ");
    };
    plot.addEventListener("pointermove", show);
    plot.addEventListener("pointerdown", show);
    plot.addEventListener("pointerleave", hide);
  }
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(d => { d.open = true; }));
//]]>
</script>
)";

}  // namespace uir
