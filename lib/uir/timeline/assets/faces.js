// Who is in a picture, where, and how sure that is.
const KNOWN_COLOURS = 8;

function colourOf(person, place) {
  return person.kind === "known" ? "c" + place % KNOWN_COLOURS : "c-" + person.kind;
}

function nameOf(person) {
  if (person.kind === "unsure") return "unsure";
  if (person.kind === "small") return "too small to tell";
  return person.name;
}

// hidden: begin and end, begin and end, …
function isHidden(hidden, tick) {
  return hidden.some((begin, i) => i % 2 === 0 && begin <= tick && tick < hidden[i + 1]);
}

function tracksAt(tracks, tick) {
  return tracks.filter(track => track.begin <= tick && tick < track.end && !isHidden(track.hidden, tick));
}

// [x1, y1, x2, y2] at the tick, between two sights in proportion; null if the track was never seen.
function boxAt(track, tick) {
  const s = track.sights;
  if (!s.length) return null;
  let after = 0;
  while (after < s.length && s[after] <= tick) after += 5;
  if (after === 0 || after === s.length) return s.slice(after ? after - 4 : 1, after ? after : 5);
  const before = after - 5, share = (tick - s[before]) / (s[after] - s[before]);
  return [1, 2, 3, 4].map(i => s[before + i] + share * (s[after + i] - s[before + i]));
}

function score(value) {
  return value.toFixed(2).replace("0.", ".");
}

// The candidate that the words and the bar are about.
function candidateOf(track, people) {
  const named = track.kind === "known" && track.line >= 0 ? people[track.line].name : null;
  return track.candidates.find(c => c[0] === named) || (named === null ? track.candidates[0] : null) || null;
}

function certainty(track, data) {
  const candidate = candidateOf(track, data.people), {known, unsure} = data.thresholds;
  if (track.byHand) return track.kind === "known" ? "named by hand" : "decided by hand";
  if (track.kind === "small") return "no face is large and clear enough";
  if (!candidate) return track.kind === "stranger" ? "nobody of the gallery" : "no score";
  const [name, value] = candidate;
  if (track.kind === "known") return "likeness " + score(value) + ", named from " + score(known);
  if (track.kind === "unsure")
    return "perhaps " + name + ": likeness " + score(value) + ", named from " + score(known);
  return "nobody of the gallery; nearest " + name + " " + score(value) + ", a stranger below " + score(unsure);
}

function titleOf(track, people) {
  if (track.kind === "unsure") return "unsure";
  if (track.kind === "small") return "too small";
  return track.line >= 0 ? people[track.line].name : track.kind === "stranger" ? "stranger" : "?";
}

function trackColour(track, people) {
  return track.line >= 0 ? colourOf(people[track.line], track.line) : "c-" + track.kind;
}

// The likeness between 0 and 1, with a mark at each threshold.
function likenessBar(track, data) {
  const candidate = candidateOf(track, data.people);
  if (!candidate || track.kind === "small") return null;
  const at = (className, value) => {
    const part = make("i", {className});
    part.style.setProperty("--at", Math.max(0, Math.min(1, value)));
    return part;
  };
  return make("span", {className: "likeness", "aria-hidden": "true"}, at("fill", candidate[1]),
              at("mark", data.thresholds.unsure), at("mark", data.thresholds.known));
}

// Frames over a picture of width × height.
function drawBoxes(root, tracks, tick, data, width, height) {
  root.replaceChildren(...tracks.flatMap(track => {
    const box = boxAt(track, tick);
    if (!box) return [];
    const [x1, y1, x2, y2] = [box[0] / width, box[1] / height, box[2] / width, box[3] / height];
    const label = make("bdi", {className: "label", textContent: titleOf(track, data.people)});
    const frame = make("div", {className: "box " + trackColour(track, data.people) +
                                          (y1 < .09 ? " low" : "") + ((x1 + x2) / 2 > .5 ? " left" : "")}, label);
    frame.dataset.track = track.id;
    for (const [name, share] of [["left", x1], ["top", y1], ["width", x2 - x1], ["height", y2 - y1]])
      frame.style[name] = 100 * share + "%";
    return [frame];
  }));
  if (root.childElementCount > 1) spreadLabels(root.querySelectorAll(".label"), root.getBoundingClientRect());
}

// Up or down, as little as needed, until no label covers another one or leaves the picture.
function spreadLabels(labels, picture) {
  const taken = [];
  for (const label of labels) {
    const area = label.getBoundingClientRect(), step = area.height + 2;
    const fits = shift => area.top + shift >= picture.top && area.bottom + shift <= picture.bottom &&
      !taken.some(other => area.left < other.right && other.left < area.right &&
                           area.top + shift < other.bottom && other.top < area.bottom + shift);
    const shift = [0, -1, 1, -2, 2, -3, 3, -4, 4].map(n => n * step).find(fits) || 0;
    if (shift) label.style.transform = "translateY(" + shift + "px)";
    taken.push({left: area.left, right: area.right, top: area.top + shift, bottom: area.bottom + shift});
  }
}

// The same as a list, with how sure; choose(place) where a person has a line.
function listFaces(root, tracks, data, choose) {
  root.replaceChildren(...tracks.map(track => {
    const name = make("button", {type: "button", className: "name", disabled: track.line < 0},
                      make("bdi", {textContent: titleOf(track, data.people)}));
    name.addEventListener("click", () => choose(track.line));
    const words = make("span", {className: "quiet", textContent: certainty(track, data), dir: "auto"});
    const item = make("li", {className: "face " + trackColour(track, data.people)}, name, words);
    item.dataset.track = track.id;
    const bar = likenessBar(track, data);
    if (bar) item.append(bar);
    return item;
  }));
}
