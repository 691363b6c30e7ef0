"""What happens in a film: scenes of shots, who is in them and how everybody and the camera move. Nothing is drawn here.

Lengths are in pixels of a picture 720 high and places in shares of the picture, so that every size shows the same film.
"""
from dataclasses import dataclass, field

import numpy as np

from .people import shuffled

FPS = 25
ASPECT = 16 / 9


@dataclass
class Key:
    at: float      # share of the shot
    x: float       # of the face's centre
    y: float
    height: float  # of the face
    turn: float = 0.0  # degrees


@dataclass
class Part:
    """Somebody (or a thing: person None) in a shot. Later parts of a shot are nearer to the camera."""
    person: object
    photo: object
    keys: list
    even: bool = False     # moves evenly; else it starts and stops gently between two keys
    mirrored: bool = False
    gain: tuple = (1.0, 1.0)  # brightness at the beginning and end
    blur: float = 0.0
    sway: tuple = (0.0, 0.0, 0.0)  # amplitude as a share of the face's height, swings a second, phase
    thing_seed: int = 0

    def place(self, at, seconds):
        """x, y, height, turn at a share of the shot."""
        marks = [key.at for key in self.keys]
        i = min(max(int(np.searchsorted(marks, at, "right")) - 1, 0), max(len(marks) - 2, 0))
        a, b = self.keys[i], self.keys[min(i + 1, len(marks) - 1)]
        s = 0.0 if b.at == a.at else min(max((at - a.at) / (b.at - a.at), 0.0), 1.0)
        s = s if self.even else s * s * (3 - 2 * s)
        x, y, height, turn = (p + (q - p) * s for p, q in zip((a.x, a.y, a.height, a.turn), (b.x, b.y, b.height, b.turn)))
        amplitude, rate, phase = self.sway
        swing = amplitude * height / 720
        return (x + swing * np.sin(2 * np.pi * rate * seconds + phase) / ASPECT,
                y + swing * 0.5 * np.sin(4 * np.pi * rate * seconds + phase), height, turn)


@dataclass
class Shot:
    place: int           # seed of the background
    frames: int
    camera: tuple        # (zoom, x, y) at the beginning and end, x and y as shares of what zooming leaves free
    parts: list = field(default_factory=list)
    gain: tuple = (1.0, 1.0)
    dissolve: int = 0    # frames, an even number, that it shares with the shot before


class Deck:
    """Everybody has a turn before anybody has the next one."""

    def __init__(self, rng, people):
        self.rng, self.people, self.left = rng, people, []

    def draw(self, not_these=()):
        for _ in range(2 * len(self.people) + 1):
            self.left = self.left or shuffled(self.rng, self.people)
            person = self.left.pop()
            if all(person is not other for other in not_these):
                return person
        raise ValueError("too few people")


class Writer:
    def __init__(self, rng, known, strangers):
        self.rng, self.shots = rng, []
        self.known = Deck(rng, known) if known else None
        self.strangers = Deck(rng, strangers) if strangers else None

    # ---- people and how they move

    def somebody(self, not_these=(), known=0.55):
        is_known = self.known and (not self.strangers or self.rng.random() < known)
        return (self.known if is_known else self.strangers).draw(not_these)

    def several(self, count, known=0.55, besides=()):
        people = []
        for _ in range(count):
            people.append(self.somebody([*people, *besides], known))
        return people

    def part(self, person, keys, even=False):
        r = self.rng
        turn, end = r.uniform(-9, 9), r.uniform(-5, 5)
        for key in keys:
            key.turn = turn + end * key.at
        light = r.uniform(0.75, 1.2)
        return Part(person, person.next_photo(), keys, even, bool(r.random() < 0.5), (light, light * r.uniform(0.8, 1.2)),
                    float(r.uniform(0.6, 1.6)) if r.random() < 0.15 else 0.0,
                    (r.uniform(0.01, 0.06), r.uniform(0.1, 0.5), r.uniform(0, 6.28)))

    def height(self, low, high):
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def level(self, height):
        """y of a face of this height: all of the head inside the picture, larger ones a little higher."""
        return float(max(self.rng.uniform(0.33, 0.47), (0.9 * height + 10) / 720))

    def stay(self, person, x, low, high):
        h = self.height(low, high)
        y, drift = self.level(h), self.rng.uniform(-0.03, 0.03, 2)
        later = Key(1, x + drift[0], y + drift[1] / 2, h * self.rng.uniform(0.85, 1.2))
        return self.part(person, [Key(0, x, y, h), later])

    def enter(self, person, x, low, high, leave=False):
        """Comes in from the nearer side and stays, or stays and leaves."""
        h = self.height(low, high)
        y, outside, moment = self.level(h), self.outside(x < 0.5, h), self.rng.uniform(0.35, 0.7)
        keys = [Key(0, outside, y, h), Key(moment, x, y, h), Key(1, x, y, h)]
        if leave:
            keys = [Key(0, x, y, h), Key(moment, x, y, h), Key(1, outside, y, h)]
        return self.part(person, keys)

    def outside(self, left, height):
        margin = height / 720 / ASPECT
        return -margin if left else 1 + margin

    def walk(self, person, low, high):
        """Through the whole picture, from one side to the other."""
        h, left = self.height(low, high), bool(self.rng.random() < 0.5)
        y, from_x, to_x = self.level(h), self.outside(left, h), self.outside(not left, h)
        start, end = self.rng.uniform(0, 0.25), self.rng.uniform(0.75, 1)
        return self.part(person, [Key(start, from_x, y, h), Key(end, to_x, y, h)], even=True)

    def approach(self, person, x, low, high):
        a, b = self.height(low, low * 1.4), self.height(high * 0.7, high)
        far, near = (x, 0.4, a), (x + self.rng.uniform(-0.08, 0.08), self.level(b), b)
        first, last = (far, near) if self.rng.random() < 0.6 else (near, far)
        return self.part(person, [Key(0, *first), Key(1, *last)])

    def thing(self):
        """A pillar that the camera passes: it hides for a moment whoever is behind it."""
        left, h = bool(self.rng.random() < 0.5), 1000
        start, end = self.rng.uniform(0.1, 0.35), self.rng.uniform(0.65, 0.9)
        keys = [Key(start, -0.25 if left else 1.25, 0.5, h), Key(end, 1.25 if left else -0.25, 0.5, h)]
        return Part(None, None, keys, True, thing_seed=int(self.rng.integers(2 ** 31)))

    def slots(self, count):
        return [(i + 0.5) / count + self.rng.uniform(-0.06, 0.06) / count for i in range(count)]

    # ---- shots and scenes

    def place(self):
        return int(self.rng.integers(2 ** 31))

    def camera(self):
        """It stands still in every second shot, else it pans and zooms."""
        if self.rng.random() < 0.5:
            return (1.0, 0.0, 0.0), (1.0, 0.0, 0.0)
        zoom = self.rng.uniform(1.02, 1.35, 2)
        return tuple((float(z), *map(float, self.rng.uniform(0, 1, 2))) for z in zoom)

    def shot(self, place, seconds, parts, dissolve=False):
        gain = self.rng.uniform(0.8, 1.15, 2) if self.rng.random() < 0.25 else (1.0, 1.0)
        frames = max(int(round(seconds * FPS)), 12)
        fade = 2 * int(self.rng.integers(5, 13)) if dissolve and self.shots else 0
        if fade and min(frames, self.shots[-1].frames - self.shots[-1].dissolve) < fade + 12:
            fade = 0
        self.shots.append(Shot(place, frames, self.camera(), parts, tuple(map(float, gain)), fade))

    def seconds(self, low=1.6, high=6.0):
        return float(self.rng.uniform(low, high))

    def between(self):
        return bool(self.rng.random() < 0.3)

    def conversation(self):
        """Reverse shots, A B A B, each with its own background; some over the other one's shoulder or with an extra."""
        a, b = self.several(2, known=0.75)
        rooms, x = (self.place(), self.place()), (self.rng.uniform(0.33, 0.45), self.rng.uniform(0.55, 0.67))
        size = self.height(100, 180)
        for i in range(int(self.rng.integers(3, 8))):
            who = (a, b)[i % 2]
            parts = [self.stay(who, x[i % 2], size * 0.85, min(size * 1.4, 250))]
            if self.rng.random() < 0.25:
                extra = self.somebody((a, b), known=0.1)
                walks = self.rng.random() < 0.5
                parts.insert(0, self.walk(extra, 40, 80) if walks else self.stay(extra, 1 - x[i % 2], 40, 90))
            self.shot(rooms[i % 2], self.seconds(1.2, 4.5), parts, dissolve=i == 0 and self.between())
        if self.rng.random() < 0.6:
            self.shot(rooms[0], self.seconds(), [self.stay(a, 0.3, 80, 150), self.stay(b, 0.7, 80, 150)])

    def portrait(self):
        place, seconds = self.place(), self.seconds()
        self.shot(place, seconds, [self.stay(self.somebody(), self.rng.uniform(0.25, 0.75), 70, 250)], self.between())

    def group(self):
        people = self.several(3, known=0.45)
        parts = [self.stay(p, x, 55, 150) for p, x in zip(people, self.slots(3))]
        self.shot(self.place(), self.seconds(2, 6), parts, self.between())

    def comings(self):
        """One is there, another comes or leaves."""
        a, b = self.several(2)
        x = self.slots(2) if self.rng.random() < 0.5 else self.slots(2)[::-1]
        moving = self.enter(b, x[1], 60, 180, leave=bool(self.rng.random() < 0.5))
        self.shot(self.place(), self.seconds(2.5, 6), [self.stay(a, x[0], 60, 180), moving], self.between())

    def crossing(self):
        """Two change sides, the second in front of the first."""
        a, b = self.several(2)
        h = self.height(80, 170)
        y, x = self.level(h), self.slots(2)
        away = h * self.rng.uniform(0.65, 0.9)
        parts = [self.part(a, [Key(0.1, x[0], y, away), Key(0.9, x[1], y, away)]),
                 self.part(b, [Key(0.1, x[1], y, h), Key(0.9, x[0], y, h)])]
        self.shot(self.place(), self.seconds(2.5, 5), parts, self.between())

    def passers(self):
        """Extras walk behind somebody who stays."""
        star = self.somebody(known=0.8)
        extras = self.several(int(self.rng.integers(1, 3)), known=0, besides=[star])
        parts = [self.walk(extra, 28, 90) for extra in extras] + [self.stay(star, self.rng.uniform(0.3, 0.7), 90, 220)]
        self.shot(self.place(), self.seconds(3, 6.5), parts, self.between())

    def far(self):
        """Small faces: extras, seldom somebody known."""
        people = self.several(int(self.rng.integers(1, 4)), known=0.15)
        parts = [self.stay(p, x, 24, 50) for p, x in zip(people, self.slots(len(people)))]
        self.shot(self.place(), self.seconds(1.5, 3.5), parts, self.between())

    def approaching(self):
        place, seconds = self.place(), self.seconds(3, 6)
        self.shot(place, seconds, [self.approach(self.somebody(), self.rng.uniform(0.3, 0.7), 35, 250)], self.between())

    def hidden(self):
        people = self.several(int(self.rng.integers(1, 3)))
        parts = [self.stay(p, x, 70, 200) for p, x in zip(people, self.slots(len(people)))]
        self.shot(self.place(), self.seconds(3, 6), parts + [self.thing()], self.between())

    def walking(self):
        self.shot(self.place(), self.seconds(2.5, 5), [self.walk(self.somebody(known=0.4), 60, 200)], self.between())

    def nobody(self):
        self.shot(self.place(), self.seconds(1, 3.5), [], self.between())

    SCENES = ((conversation, 24), (portrait, 12), (group, 10), (comings, 12), (crossing, 8), (passers, 10), (far, 6),
              (approaching, 6), (hidden, 6), (walking, 6), (nobody, 8))

    def write(self, frames):
        """Whole scenes until the film has at least this many frames."""
        scenes, weights = zip(*self.SCENES)
        weights = np.array(weights) / sum(weights)
        while length(self.shots) < frames:
            scenes[self.rng.choice(len(scenes), p=weights)](self)
        return self.shots


def length(shots):
    return sum(shot.frames - shot.dissolve for shot in shots)
