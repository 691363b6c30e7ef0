// The film's time, told by a <video> that has a clock of its own; without a film that can be played, a clock
// that stands where it was put.
//
// Browsers do not agree on what currentTime counts from, so the first picture tells: its time in the browser
// belongs to film.begin. What is shown is told by the time of the picture on the screen (its mediaTime), not
// by currentTime, which is ahead of it or behind.
//
// Where distances of pictures differ, a jump may end one picture early: Chromium takes a picture to last as
// long as the file says of all of them, even into the next one. So jumps to a picture are checked.
class FilmClock {
  // changed(): another time; failed(): the film can be played no longer.
  constructor(video, film, changed, failed) {
    this.video = video;
    this.film = film;
    this.changed = changed;
    this.tick = film.begin;
    this.offset = null;      // the browser's time of tick 0 [s]; unknown until the first picture is shown
    this.shown = null;       // the time of the picture on the screen, in the browser's clock
    this.wanted = null;      // the picture that a jump was for
    this.tries = 0;
    this.playable = false;
    const [num, den] = film.rate;
    this.frame = num > 0 ? den / num * film.ticksPerSecond : film.ticksPerSecond / 25;
    this.exact = "requestVideoFrameCallback" in HTMLVideoElement.prototype;
    this.onFrame = (now, frame) => this.pictureShown(frame);
    if (this.exact) video.requestVideoFrameCallback(this.onFrame);
    video.addEventListener("timeupdate", () => { if (!this.exact || document.hidden) this.estimate(); });
    video.addEventListener("error", () => {
      if (this.playable) failed();
      this.playable = false;
    });
    video.addEventListener("seeked", () => setTimeout(() => this.settle(), 60));
  }

  // Ends in playable, or in a promise that fails.
  load(url) {
    const video = this.video;
    this.playable = false;
    this.offset = this.shown = null;
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
    if (!this.exact) this.startAt(this.video.currentTime);
    this.begin();
  }

  // The browser shows its first picture at this time.
  startAt(time) { this.offset = time - this.film.begin / this.film.ticksPerSecond; }

  // Its time is known and it can be played, whichever comes last: to where it is wanted.
  begin() {
    if (this.playable && this.offset !== null && this.tick !== this.film.begin) this.jump(this.tick);
  }

  pictureShown(frame) {
    this.video.requestVideoFrameCallback(this.onFrame);
    this.shown = frame.mediaTime;
    if (this.offset === null) {
      this.startAt(frame.mediaTime);
      return this.begin();
    }
    this.tick = this.tickOf(frame.mediaTime);
    // While it plays, the wanted picture comes by itself.
    if (this.wanted !== null && !this.paused) {
      if (this.tick < this.wanted && this.wanted - this.tick < 2 * this.frame) this.tick = this.wanted;
      else this.wanted = null;
    }
    this.changed();
  }

  // After a jump: is it the picture that was wanted? What is told is what is shown.
  settle() {
    if (!this.paused || this.video.seeking || this.shown === null || document.hidden) return;
    const tick = this.tickOf(this.shown);
    if (this.wanted !== null && tick < this.wanted && this.tries < 16) {
      this.tries += 1;
      this.video.currentTime = this.timeOf(this.wanted + this.tries * this.frame / 8);
      return;
    }
    this.wanted = null;
    if (tick === this.tick) return;
    this.tick = tick;
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
    const into = Math.min(this.frame / 4, this.film.ticksPerSecond * 0.0005);
    return (tick + into) / this.film.ticksPerSecond + this.offset;
  }

  // To the picture of that time, which is one's begin.
  jumpToPicture(tick) {
    this.jump(tick);
    this.wanted = this.tick;
    this.tries = 0;
  }

  jump(tick) {
    this.wanted = null;
    this.tick = Math.max(this.film.begin, Math.min(this.film.end - 1, Math.round(tick)));
    if (this.playable && this.offset !== null) this.video.currentTime = this.timeOf(this.tick);
    this.changed();
  }

  // After a jump Firefox gives a picture the time that was asked for, not its own.
  get ownTime() { return Math.abs(this.video.currentTime - this.shown) > 1e-4; }

  // At a constant rate pictures stand on a grid; one of rounded times is met with a twentieth of a picture.
  beginOfPicture() {
    return this.film.begin + Math.floor((this.tick - this.film.begin) / this.frame + 0.05) * this.frame;
  }

  previousPicture() {
    if (this.film.constantRate) this.jump(this.beginOfPicture() - 0.5 * this.frame);
    else this.jump(this.tick - (this.playable && this.ownTime ? this.film.ticksPerSecond * 0.0015 : this.frame));
  }

  // Where distances differ, nobody knows when the next picture comes: small steps find it.
  async nextPicture() {
    if (this.film.constantRate) return this.jump(this.beginOfPicture() + 1.5 * this.frame);
    if (!this.playable || !this.ownTime) return this.jump(this.tick + this.frame);
    const from = this.tick;
    for (let step = 1; step <= 40 && this.tick - from < this.frame / 8; ++step) {
      const seeked = new Promise(done =>
        this.video.addEventListener("seeked", () => setTimeout(done, 40), {once: true}));
      this.video.currentTime = this.timeOf(Math.min(from + step * this.frame / 4, this.film.end - 1));
      await seeked;
    }
  }

  seconds() { return this.tick / this.film.ticksPerSecond; }
  get paused() { return !this.playable || this.video.paused; }
}
