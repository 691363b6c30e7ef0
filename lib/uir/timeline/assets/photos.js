// The people of a folder of photos: a part a person, a picture of the face a photo; behind each the photo.
const PICTURES_AT_FIRST = 60;

class Photos {
  constructor(data) {
    this.data = data;
    this.find = id => document.getElementById(id);
    this.find("title").textContent = data.film.file;
    this.heading();
    for (const [place, person] of data.people.entries()) this.part(person, place);
    const view = this.find("view");
    view.addEventListener("click", event => { if (event.target === view) view.close(); });
    document.addEventListener("keydown", event => this.key(event));
    new ResizeObserver(() => this.boxes()).observe(this.find("photo"));
    this.find("photo").addEventListener("load", () => this.boxes());
    this.find("photo").addEventListener("error", () => { this.find("broken").hidden = false; });
  }

  heading() {
    const kinds = kind => this.data.people.filter(p => p.kind === kind).length;
    this.find("summary").textContent = [counted(this.data.photos.length, "photo"),
      counted(kinds("known"), "known person", "known people"), counted(kinds("stranger"), "stranger")].join(" · ");
  }

  part(person, place) {
    const tracks = this.data.tracks.filter(track => track.line === place);
    const colour = colourOf(person, place);
    const heading = make("h2", {className: colour}, make("bdi", {textContent: nameOf(person)}),
                         make("span", {className: "quiet", textContent: " " + counted(tracks.length, "photo")}));
    const list = make("ul", {className: "tiles"});
    const fill = part => list.append(...part.map(track => this.tile(track, person, tracks)));
    fill(tracks.slice(0, PICTURES_AT_FIRST));
    const section = make("section", {}, heading, list);
    if (tracks.length > PICTURES_AT_FIRST) {
      const more = make("button", {type: "button", className: "more",
                                   textContent: "Show " + (tracks.length - PICTURES_AT_FIRST) + " more"});
      more.addEventListener("click", () => { more.remove(); fill(tracks.slice(PICTURES_AT_FIRST)); });
      section.append(more);
    }
    this.find("people").append(section);
  }

  tile(track, person, tracks) {
    const photo = this.data.photos[track.begin], name = photo ? photo.name : "";
    const src = track.picture ? track.picture.split("/").map(encodeURIComponent).join("/") : photo ? photo.url : "";
    const image = make("img", {alt: "", loading: "lazy"});
    image.src = src;
    const button = make("button", {type: "button", title: name + "\n" + certainty(track, this.data)}, image,
                        make("bdi", {textContent: name}));
    button.setAttribute("aria-label", nameOf(person) + " on " + name);
    button.addEventListener("click", () => this.open(track.begin, tracks));
    return make("li", {}, button);
  }

  open(place, tracks) {
    this.place = place;
    this.round = [...new Set(tracks.map(track => track.begin))];
    const photo = this.data.photos[place], here = tracksAt(this.data.tracks, place);
    this.find("broken").hidden = true;
    this.find("boxes").replaceChildren();
    this.find("photo").src = photo.url;
    this.find("photo").alt = photo.name;
    this.find("name").textContent = photo.name;
    listFaces(this.find("faces"), here, this.data, () => {});
    for (const button of this.find("faces").querySelectorAll("button")) button.disabled = true;
    if (!this.find("view").open) this.find("view").showModal();
  }

  boxes() {
    const photo = this.find("photo");
    if (!photo.naturalWidth) return;
    drawBoxes(this.find("boxes"), tracksAt(this.data.tracks, this.place), this.place, this.data,
              photo.naturalWidth, photo.naturalHeight);
  }

  key(event) {
    const step = {ArrowLeft: -1, p: -1, ArrowRight: 1, n: 1}[event.key];
    if (!step || !this.find("view").open || event.ctrlKey || event.altKey || event.metaKey) return;
    const next = this.round[this.round.indexOf(this.place) + step];
    if (next === undefined) return;
    event.preventDefault();
    this.open(next, this.round.map(begin => ({begin})));
  }
}

document.addEventListener("DOMContentLoaded", () => {
  window.photos = new Photos(JSON.parse(document.getElementById("data").textContent));
});
