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
      const values = rows[best.line][best.i].map((value, c) => words[c] + " " + (value.replace(/^\./, "0.") || "none"));
      readout.textContent = data.models[best.line] + ": " + values.join(", ");
    };
    plot.addEventListener("pointermove", show);
    plot.addEventListener("pointerdown", show);
    plot.addEventListener("pointerleave", hide);
  }
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(d => { d.open = true; }));
