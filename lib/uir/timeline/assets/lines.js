// The coloured lines: one row a person, each with one path per layer, however many spans there are.
const STRANGERS_SHOWN = 10;

class Lines {
  // actions: choose(place), toggle(place), seek(tick, place), open(begin, place)
  constructor(root, data, actions) {
    this.data = data;
    this.film = data.film;
    this.actions = actions;
    this.view = [this.film.begin, this.film.end];
    this.rows = data.people.map((person, place) => this.row(person, place));
    this.ruler = make("div", {className: "ruler"});
    this.head = make("div", {className: "row head"}, make("div", {className: "person"}), this.ruler,
                     make("span", {className: "total quiet", textContent: "visible"}));
    this.playhead = make("div", {className: "playhead"});
    this.list = make("ul", {className: "rows"});
    root.append(make("div", {className: "timeline"}, this.head, this.list, this.playhead));
    this.ruler.addEventListener("pointerdown", event => this.drag(event));
    new ResizeObserver(() => this.drawRuler()).observe(this.ruler);
    this.fold(true);
    this.show(this.film.begin);
  }

  row(person, place) {
    const name = nameOf(person), seconds = spanTotal(person.visible) / this.film.ticksPerSecond;
    const box = make("input", {type: "checkbox", "aria-label": "Only scenes with " + name});
    box.addEventListener("change", () => this.actions.toggle(place));
    const pictures = person.pictures.slice(0, person.kind === "known" ? 1 : 3)
      .map(src => make("img", {src, alt: ""}));
    const button = make("button", {type: "button", className: "name", title: name},
                        ...pictures, make("bdi", {textContent: name}));
    button.setAttribute("aria-label", name + ", visible " + lengthText(seconds) + ": go to the next appearance");
    button.addEventListener("click", () => this.actions.choose(place, true));
    const lane = make("div", {className: "lane"}, this.drawing(person));
    lane.addEventListener("click", event => this.clicked(event, lane, person, place));
    const element = make("li", {className: "row " + colourOf(person, place)},
                         make("div", {className: "person"}, box, button), lane,
                         make("span", {className: "total", textContent: lengthText(seconds)}));
    return {element, box, person, svg: lane.firstChild};
  }

  drawing(person) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("preserveAspectRatio", "none");
    svg.setAttribute("aria-hidden", "true");
    for (const layer of ["scenes", "visible"]) {
      const path = document.createElementNS(svg.namespaceURI, "path");
      path.setAttribute("class", layer);
      path.setAttribute("d", this.outline(person[layer]));
      svg.append(path);
    }
    this.place(svg);
    return svg;
  }

  // In seconds from the film's begin: floats of a drawing are exact enough for those.
  outline(spans) {
    const seconds = tick => +((tick - this.film.begin) / this.film.ticksPerSecond).toFixed(3);
    let d = "";
    for (let i = 0; i < spans.length; i += 2) {
      const begin = seconds(spans[i]), end = seconds(spans[i + 1]);
      d += "M" + begin + " 0H" + end + "V1H" + begin + "Z";
    }
    return d;
  }

  place(svg) {
    const tps = this.film.ticksPerSecond, [begin, end] = this.view;
    svg.setAttribute("viewBox", (begin - this.film.begin) / tps + " 0 " + Math.max(end - begin, 1) / tps + " 1");
  }

  // Strangers beyond the first few stand behind a button.
  fold(folded) {
    const strangers = this.rows.filter(row => row.person.kind === "stranger");
    const hidden = new Set(folded && strangers.length > STRANGERS_SHOWN + 2 ? strangers.slice(STRANGERS_SHOWN) : []);
    this.shown = this.rows.filter(row => !hidden.has(row));
    const elements = this.shown.map(row => row.element);
    if (hidden.size) {
      const more = make("button", {type: "button", className: "more",
                                   textContent: "Show " + hidden.size + " more strangers"});
      more.addEventListener("click", () => { this.fold(false); strangers[STRANGERS_SHOWN].box.focus(); });
      const at = this.shown.findIndex(row => row === strangers[STRANGERS_SHOWN - 1]) + 1;
      elements.splice(at, 0, make("li", {}, more));
    }
    if (!elements.length) elements.push(make("li", {className: "quiet empty", textContent: "No faces were found."}));
    this.list.replaceChildren(...elements);
  }

  tickAt(clientX, element) {
    const area = element.getBoundingClientRect(), [begin, end] = this.view;
    const share = Math.max(0, Math.min(1, (clientX - area.left) / area.width));
    return begin + share * (end - begin);
  }

  // To the place that was clicked; on a span of a few pixels, or beside one, to its begin.
  clicked(event, lane, person, place) {
    const tick = this.tickAt(event.clientX, lane), spans = person.visible;
    const near = 6 / lane.clientWidth * (this.view[1] - this.view[0]);
    const at = spanAt(spans, tick);
    if (at >= 0 && spans[at + 1] - spans[at] > 2 * near) return this.actions.seek(tick, place);
    const begin = this.nearestBegin(spans, tick, near, at);
    if (begin === null) this.actions.seek(tick, place); else this.actions.open(begin, place);
  }

  nearestBegin(spans, tick, near, at) {
    if (at >= 0) return spans[at];
    const before = lastBegun(spans, tick), after = before + 2;
    const toBefore = before >= 0 ? tick - spans[before + 1] : Infinity;
    const toAfter = after < spans.length ? spans[after] - tick : Infinity;
    if (Math.min(toBefore, toAfter) > near) return null;
    return toBefore < toAfter ? spans[before] : spans[after];
  }

  drag(event) {
    const to = e => this.actions.seek(this.tickAt(e.clientX, this.ruler), null);
    this.ruler.setPointerCapture(event.pointerId);
    this.ruler.onpointermove = to;
    this.ruler.onpointerup = this.ruler.onpointercancel = () => { this.ruler.onpointermove = null; };
    to(event);
  }

  zoom(factor, around) {
    const whole = this.film.end - this.film.begin;
    const length = Math.min(whole, Math.max((this.view[1] - this.view[0]) / factor, this.film.ticksPerSecond * 2));
    const share = (around - this.view[0]) / (this.view[1] - this.view[0]);
    this.look(around - length * (share >= 0 && share <= 1 ? share : 0.5), length);
  }

  look(begin, length) {
    const from = Math.max(this.film.begin, Math.min(this.film.end - length, begin));
    this.view = [from, from + length];
    for (const row of this.rows) this.place(row.svg);
    this.drawRuler();
    this.show(this.tick);
  }

  drawRuler() {
    const tps = this.film.ticksPerSecond, [begin, end] = this.view, seconds = (end - begin) / tps;
    const most = Math.max(2, this.ruler.clientWidth / 90);
    const step = [.1, .2, .5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400]
      .find(s => seconds / s <= most) || 86400;
    const marks = [];
    for (let t = Math.ceil(begin / tps / step) * step; t <= end / tps; t += step) {
      const mark = make("span", {textContent: step < 1 ? timeText(t, true).slice(0, -2) : timeText(t)});
      mark.style.left = 100 * (t - begin / tps) / seconds + "%";
      marks.push(mark);
    }
    this.ruler.replaceChildren(...marks);
  }

  // The playhead; what is shown of a part of the film follows it.
  show(tick) {
    this.tick = tick;
    const length = this.view[1] - this.view[0];
    if (length < this.film.end - this.film.begin && (tick < this.view[0] || tick >= this.view[1]))
      return this.look(tick - length / 10, length);
    this.playhead.style.setProperty("--at", length > 0 ? (tick - this.view[0]) / length : 0);
  }

  choose(chosen) {
    this.rows.forEach((row, place) => {
      row.box.checked = chosen.has(place);
      row.element.classList.toggle("chosen", chosen.has(place));
    });
  }

  reveal(place) {
    if (!this.shown.includes(this.rows[place])) this.fold(false);
    this.rows[place].element.scrollIntoView({block: "nearest"});
  }
}
