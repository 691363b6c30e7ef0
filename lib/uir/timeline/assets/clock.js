// The film's time, told by a <video> that has a clock of its own; without a film that can be played, a clock
// that stands where it was put.
//
// Browsers do not agree on what currentTime counts from, so the first picture tells: its time in the browser
// belongs to film.begin. What is shown is told by the time of the picture on the screen (its mediaTime), not
// by currentTime, which is ahead of it or behind.
class FilmClock {
  constructor(video, film, changed) {
    this.video = video;
    this.film = film;
    this.changed = changed;
    this.tick = film.begin;
    this.offset = null;      // the browser's time of tick 0 [s]; unknown until the first picture is shown
    this.waiting = null;     // where to jump to as soon as it is known
    this.playable = false;
    const [num, den] = film.rate;
    this.frame = num > 0 ? den / num * film.ticksPerSecond : film.ticksPerSecond / 25;
    this.exact = "requestVideoFrameCallback" in HTMLVideoElement.prototype;
    if (this.exact) this.onFrame = (now, frame) => this.pictureShown(frame);
    else video.addEventListener("timeupdate", () => this.estimate());
  }

  // Ends in playable, or in a promise that fails.
  load(url) {
    const video = this.video;
    this.playable = false;
    this.offset = null;
    return new Promise((done, fail) => {
      video.onerror = () => fail(new Error(video.error ? video.error.message : "no film"));
      // A browser that knows the sound's format alone plays a black picture.
      video.onloadedmetadata = () => { if (!video.videoWidth) fail(new Error("no picture can be decoded")); };
      video.onloadeddata = () => { if (video.videoWidth) { this.start(); done(); } };
      video.src = url;
    });
  }

  start() {
    this.playable = true;
    if (this.exact) this.video.requestVideoFrameCallback(this.onFrame);
    else this.startAt(this.video.currentTime);
  }

  // The browser shows its first picture at this time.
  startAt(time) {
    this.offset = time - this.film.begin / this.film.ticksPerSecond;
    const to = this.waiting !== null ? this.waiting : this.tick;
    this.waiting = null;
    if (to !== this.film.begin) this.jump(to);
  }

  pictureShown(frame) {
    this.video.requestVideoFrameCallback(this.onFrame);
    if (this.offset === null) {
      this.startAt(frame.mediaTime);
      if (this.tick !== this.film.begin) return;
    }
    this.tick = this.tickOf(frame.mediaTime);
    this.changed();
  }

  estimate() {
    if (this.offset === null || this.video.seeking) return;
    this.tick = this.tickOf(this.video.currentTime);
    this.changed();
  }

  // Browsers round times to a millionth of a second.
  tickOf(time) { return Math.floor((time - this.offset + 2e-6) * this.film.ticksPerSecond); }

  // A little into the picture: at its very begin, rounding may show the one before.
  timeOf(tick) {
    const into = Math.min(this.frame / 4, this.film.ticksPerSecond * 0.005);
    return (tick + into) / this.film.ticksPerSecond + this.offset;
  }

  jump(tick) {
    this.tick = Math.max(this.film.begin, Math.min(this.film.end - 1, Math.round(tick)));
    if (this.playable && this.offset === null) this.waiting = this.tick;
    else if (this.playable) this.video.currentTime = this.timeOf(this.tick);
    this.changed();
  }

  seconds() { return this.tick / this.film.ticksPerSecond; }
  get paused() { return !this.playable || this.video.paused; }
}
