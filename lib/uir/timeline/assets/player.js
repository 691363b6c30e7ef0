// The page: what is chosen, what keys and buttons do.
class Player {
  constructor(data) {
    this.data = data;
    this.film = data.film;
    this.chosen = new Set();
    this.only = false;
    this.layer = "scenes";
    this.boxesAlways = false;
    this.find = id => document.getElementById(id);
    this.clock = new FilmClock(this.find("video"), this.film, () => this.changed(), () => this.missing());
    this.lines = new Lines(this.find("lines"), data, {
      choose: (place, go) => this.choose([place], go),
      toggle: place => this.toggle(place),
      seek: (tick, place) => { if (place !== null) this.choose([place]); this.leaveOnly(tick); this.clock.jump(tick); },
      open: (tick, place) => { this.choose([place]); this.leaveOnly(tick); this.clock.jumpToPicture(tick); },
    });
    this.stage();
    this.heading();
    this.wire();
    this.openFilm();
    this.changed();
  }

  stage() {
    const {width, height} = this.film, picture = this.find("picture");
    picture.style.setProperty("--ratio", width > 0 && height > 0 ? width / height : 16 / 9);
  }

  heading() {
    const kinds = kind => this.data.people.filter(p => p.kind === kind).length;
    this.find("title").textContent = this.film.file;
    const parts = [lengthText((this.film.end - this.film.begin) / this.film.ticksPerSecond),
                   counted(kinds("known"), "known person", "known people"), counted(kinds("stranger"), "stranger"),
                   counted(this.data.tracks.length, "appearance")];
    this.find("summary").textContent = parts.join(" · ");
  }

  async openFilm() {
    const at = /^#t=([0-9.]+)$/.exec(location.hash);
    if (at) this.clock.jump(+at[1] * this.film.ticksPerSecond);
    for (const url of [this.film.url, this.film.copyUrl]) {
      try { return await this.load(url, url === this.film.copyUrl ? this.film.copy : ""); } catch (e) { /* the next */ }
    }
    this.missing();
  }

  async load(url, name) {
    await this.clock.load(url);
    document.body.dataset.film = "playable";
    this.find("notice").hidden = true;
    this.find("source").textContent = name ? "playing " + name : "";
    if (!this.clock.exact) this.say("This browser does not tell which picture it shows: times are near, not exact.");
    this.changed();
  }

  missing() {
    document.body.dataset.film = "missing";
    this.find("video").removeAttribute("src");
    this.find("reason").textContent =
      "“" + this.film.file + "” is not beside this page's folder, or this browser cannot play it.";
    this.find("command").textContent = this.command();
    this.find("notice").hidden = false;
    this.changed();
  }

  // Where the film lies is known from the page's own place only.
  command() {
    if (location.protocol !== "file:" || /^\/[A-Za-z]:/.test(location.pathname)) return this.film.command;
    let folder = location.pathname.replace(/\/[^/]*\/[^/]*$/, "") || "/";
    try { folder = decodeURIComponent(folder); } catch (e) { return this.film.command; }
    if (/[\u0000-\u001f\u007f]/.test(folder)) return this.film.command;
    return "cd '" + folder.replaceAll("'", "'\\''") + "' && " + this.film.command;
  }

  async pick(file) {
    if (!file) return;
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(file);
    try {
      await this.load(this.address, file.name);
      if (file.size !== this.film.bytes && file.name !== this.film.copy)
        this.say("“" + file.name + "” is not the file that was looked at: times may not fit.");
    } catch (e) {
      this.missing();
      this.say("This browser cannot play “" + file.name + "” either.");
    }
  }

  // People.
  choose(places, go) {
    this.chosen = new Set(places);
    this.chosenChanged();
    if (go) this.goToChosen();
  }

  toggle(place) {
    if (!this.chosen.delete(place)) this.chosen.add(place);
    this.chosenChanged();
  }

  chosenChanged() {
    if (!this.chosen.size) this.setOnly(false);
    this.lines.choose(this.chosen);
    if (this.chosen.size === 1) this.lines.reveal([...this.chosen][0]);
    this.about();
    this.buttons();
    this.changed();
  }

  chooseBeside(step) {
    const shown = this.lines.shown.map(row => this.lines.rows.indexOf(row));
    const at = shown.indexOf([...this.chosen].pop());
    const next = at < 0 ? (step > 0 ? 0 : shown.length - 1) : Math.max(0, Math.min(shown.length - 1, at + step));
    if (shown.length) this.choose([shown[next]]);
  }

  chosenNames() { return [...this.chosen].sort((a, b) => a - b).map(place => nameOf(this.data.people[place])); }

  // A list a person: of the chosen people; of everybody if nobody is.
  spanLists(layer) {
    const places = this.chosen.size ? [...this.chosen] : this.data.people.map((person, place) => place);
    return places.map(place => this.data.people[place][layer]);
  }

  // What "only" plays.
  spans() { return united(this.spanLists(this.layer)); }

  // Times.
  step(direction) {
    const lists = this.only ? [this.spans()] : this.spanLists("visible"), tick = this.clock.tick;
    // Shortly after a begin, "previous" means the one before it, as on every player.
    const before = tick - (this.clock.paused ? this.clock.frame / 2 : this.film.ticksPerSecond);
    const begins = lists.map(spans => direction > 0 ? nextBegin(spans, tick) : previousBegin(spans, before))
      .filter(begin => begin !== null);
    if (begins.length) this.clock.jumpToPicture(begins.reduce((a, b) => (a < b) === (direction > 0) ? a : b));
    else this.say(direction > 0 ? "No later appearance." : "No earlier appearance.");
  }

  // To where the chosen person is, unless that is here.
  goToChosen() {
    const spans = united(this.spanLists("visible")), tick = this.clock.tick;
    if (spanAt(spans, tick) < 0 && spans.length) this.clock.jumpToPicture(nextBegin(spans, tick) ?? spans[0]);
  }

  async togglePlay() {
    const video = this.find("video");
    if (!this.clock.playable) return this.say("There is no film to be played; lines and people work without it.");
    if (!video.paused) return video.pause();
    if (this.only) this.restartOnly();
    try { await video.play(); } catch (e) { this.say("The browser did not begin to play: " + e.message); }
  }

  setOnly(on) {
    if (on && !this.chosen.size) return this.say("First choose a person.");
    this.only = on;
    document.body.classList.toggle("only", on);
    if (on) this.enter();
    this.buttons();
  }

  enter() {
    const spans = this.spans(), tick = this.clock.tick;
    if (spanAt(spans, tick) < 0 && spans.length) this.clock.jumpToPicture(nextBegin(spans, tick) ?? spans[0]);
  }

  // Whoever jumps out of the scenes wants to see what is there.
  leaveOnly(tick) {
    if (this.only && spanAt(this.spans(), tick) < 0) this.setOnly(false);
  }

  // Where "only" goes on from here: the tick itself inside of a scene, the next scene's begin, or null.
  onward(tick) {
    const spans = this.spans(), at = spanAt(spans, tick);
    if (at >= 0 && tick + this.clock.frame * 1.4 < spans[at + 1]) return tick;
    return nextBegin(spans, at >= 0 ? spans[at + 1] - 1 : tick);
  }

  // Goes from the end of a scene to the next one: at its last picture, so that no other one flashes up.
  guard() {
    const video = this.find("video"), tick = this.clock.tick;
    if (!this.only || video.seeking || this.clock.offset === null) return;
    const to = this.onward(tick);
    if (to === tick) return;
    if (to !== null) return this.clock.jumpToPicture(to);
    video.pause();
    this.say("That was the last scene with " + this.chosenNames().join(", ") + ".");
  }

  // Whoever plays on behind the last scene wants the first one.
  restartOnly() {
    const tick = this.clock.tick, spans = this.spans();
    if (this.onward(tick) === null && spans.length) this.clock.jumpToPicture(spans[0]);
  }

  // What is shown.
  changed() {
    if (!this.lines) return;
    if (!this.clock.paused) this.guard();
    const paused = this.clock.paused, tick = this.clock.tick;
    const tracks = tracksAt(this.data.tracks, tick), key = tracks.map(track => track.id).join() + paused;
    this.lines.show(tick);
    this.find("time").textContent = timeText(this.clock.seconds(), true);
    const boxes = paused || this.boxesAlways ? tracks : [];
    drawBoxes(this.find("boxes"), boxes, tick, this.data, this.film.width, this.film.height);
    if (key === this.shownFaces) return;
    this.shownFaces = key;
    listFaces(this.find("faces"), tracks, this.data, place => this.choose([place]));
    this.find("nobody").hidden = tracks.length > 0;
    if (paused) this.announce(tracks);
  }

  announce(tracks) {
    const names = tracks.map(track => titleOf(track, this.data.people));
    this.find("spoken").textContent = names.length ? "In the picture: " + names.join(", ") : "Nobody in the picture";
  }

  about() {
    const root = this.find("about");
    if (this.chosen.size !== 1) {
      const names = make("p", {textContent: this.chosenNames().join(", "), dir: "auto"});
      return root.replaceChildren(...(this.chosen.size ? [names] : []));
    }
    const place = [...this.chosen][0], person = this.data.people[place], tps = this.film.ticksPerSecond;
    const spans = person.visible;
    const facts = [lengthText(spanTotal(spans) / tps) + " in " + counted(spans.length / 2, "appearance"),
                   lengthText(spanTotal(person.scenes) / tps) + " of scenes"];
    if (spans.length) facts.push("from " + timeText(spans[0] / tps) + " to " + timeText(spans[spans.length - 1] / tps));
    root.replaceChildren(
      make("h2", {className: colourOf(person, place)}, make("bdi", {textContent: nameOf(person)})),
      make("p", {className: "pictures"}, ...person.pictures.map((src, i) =>
        make("img", {src, alt: i ? "" : "Pictures of " + nameOf(person)}))),
      ...facts.map(textContent => make("p", {className: "quiet", textContent})));
  }

  buttons() {
    const pressed = (id, on) => this.find(id).setAttribute("aria-pressed", String(on));
    const names = this.chosenNames();
    pressed("only", this.only);
    pressed("boxes-always", this.boxesAlways);
    this.find("only").disabled = !this.chosen.size;
    this.find("only-name").textContent =
      names.length > 1 ? counted(names.length, "person", "people") : names.length ? names[0] : "who is chosen";
    pressed("mute", this.find("video").muted);
    const paused = this.find("video").paused;
    this.find("play").classList.toggle("playing", !paused);
    this.find("play").setAttribute("aria-label", paused ? "Play" : "Pause");
  }

  say(text) {
    const note = this.find("note");
    note.textContent = text;
    note.hidden = false;
    clearTimeout(this.noteTimer);
    this.noteTimer = setTimeout(() => { note.hidden = true; }, 6000);
  }

  setLayer(layer) {
    this.layer = this.find("layer").value = layer;
    document.body.dataset.layer = layer;
    if (this.only) this.enter();
  }

  async fullscreen() {
    if (document.fullscreenElement) return document.exitFullscreen();
    try { await this.find("stage").requestFullscreen(); } catch (e) { this.say("No full screen: " + e.message); }
  }

  frames(n) {
    this.find("video").pause();
    if (n < 0) this.clock.previousPicture(); else this.clock.nextPicture();
  }

  seconds(n) {
    const tick = this.clock.tick + n * this.film.ticksPerSecond;
    this.leaveOnly(tick);
    this.clock.jump(tick);
  }

  help() {
    const help = this.find("help");
    if (help.open) help.close(); else help.showModal();
  }

  wire() {
    const video = this.find("video"), on = (id, act) => this.find(id).addEventListener("click", act);
    on("play", () => this.togglePlay());
    on("picture", () => this.togglePlay());
    on("previous", () => this.step(-1));
    on("next", () => this.step(1));
    on("only", () => this.setOnly(!this.only));
    on("boxes-always", () => this.toggleBoxes());
    on("mute", () => this.toggleMute());
    on("full", () => this.fullscreen());
    on("help-button", () => this.help());
    on("zoom-in", () => this.lines.zoom(2, this.clock.tick));
    on("zoom-out", () => this.lines.zoom(0.5, this.clock.tick));
    on("copy-command", () => this.copyCommand());
    this.find("layer").addEventListener("change", event => this.setLayer(event.target.value));
    this.find("file").addEventListener("change", event => this.pick(event.target.files[0]));
    for (const name of ["play", "pause", "ended", "volumechange", "seeked"])
      video.addEventListener(name, () => { this.buttons(); this.changed(); });
    document.addEventListener("keydown", event => this.key(event));
    // After a click the space bar means the film again; who uses the keyboard keeps the place.
    document.addEventListener("click", event => {
      if (event.detail && event.target.matches("main button, main button *, main input")) document.activeElement.blur();
    });
    this.setLayer("scenes");
    this.buttons();
  }

  toggleBoxes() { this.boxesAlways = !this.boxesAlways; this.buttons(); this.changed(); }
  toggleMute() { this.find("video").muted = !this.find("video").muted; }

  async copyCommand() {
    try {
      await navigator.clipboard.writeText(this.find("command").textContent);
      this.say("Copied.");
    } catch (e) {
      getSelection().selectAllChildren(this.find("command"));
      this.say("Selected: copy it with Ctrl+C.");
    }
  }

  key(event) {
    const target = event.target, tag = target.tagName;
    if (event.ctrlKey || event.altKey || event.metaKey || tag === "SELECT") return;
    if (this.find("help").open && event.key !== "?") return;
    if (event.key === " " && (tag === "BUTTON" || tag === "INPUT" || tag === "SUMMARY")) return;
    const act = this.keys()[event.key] || (/^[1-9]$/.test(event.key) && (() => this.digit(+event.key - 1)));
    if (!act) return;
    event.preventDefault();
    act();
  }

  digit(place) { if (place < this.data.people.length) this.choose([place]); }

  keys() {
    return {
      " ": () => this.togglePlay(), k: () => this.togglePlay(),
      ArrowLeft: () => this.seconds(-5), ArrowRight: () => this.seconds(5),
      ",": () => this.frames(-1), ".": () => this.frames(1),
      ArrowUp: () => this.chooseBeside(-1), ArrowDown: () => this.chooseBeside(1),
      n: () => this.step(1), p: () => this.step(-1), o: () => this.setOnly(!this.only),
      0: () => this.choose([]), Escape: () => this.choose([]),
      l: () => this.setLayer(this.layer === "scenes" ? "visible" : "scenes"),
      b: () => this.toggleBoxes(), m: () => this.toggleMute(), f: () => this.fullscreen(),
      "+": () => this.lines.zoom(2, this.clock.tick), "-": () => this.lines.zoom(0.5, this.clock.tick),
      "?": () => this.help(),
    };
  }
}

document.addEventListener("DOMContentLoaded", () => {
  window.player = new Player(JSON.parse(document.getElementById("data").textContent));
});
