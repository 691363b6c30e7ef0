"""Who plays in a film: people of LFW's peopleDevTest with 250-pixel photos, in roles that no two purposes share.

benchmark: known people have four or more photos, strangers one. development (rules, thresholds, calibration): known
people have three photos, strangers two. All others of LFW are training people of this project's recipes and never appear.
Photos with another face in them are not shown: that one would be in the film, and in no reference.
"""
import csv
from dataclasses import dataclass, field
from pathlib import Path

ROLES = {"benchmark": (lambda n: n >= 4, lambda n: n == 1), "development": (lambda n: n == 3, lambda n: n == 2)}


@dataclass
class Photo:
    path: Path
    box: tuple  # x, y, w, h of the face, as YuNet found it
    alone: bool = True


@dataclass
class Person:
    name: str
    known: bool
    photos: list = field(default_factory=list)  # that the film may show
    gallery: Photo = None
    turn: int = 0

    def label(self):
        return self.name if self.known else "?" + self.name

    def next_photo(self):
        """Another photo than last time, where there are several."""
        self.turn += 1
        return self.photos[self.turn % len(self.photos)]


def read_photos(faces, lists):
    """{name: [Photo]} of the people of peopleDevTest whose photos are there, in the order of names."""
    rows = [line.split() for line in (lists / "peopleDevTest.txt").read_text().splitlines()]
    people = {row[0] for row in rows if len(row) == 2}
    found = {}
    with open(lists / "lfw_deepfunneled250_yunet2022_landmarks.csv") as file:
        for row in csv.DictReader(file):
            name, path = row["file"].split("/")[0], faces / "lfw_deepfunneled" / row["file"]
            if name in people and path.exists():
                box = tuple(float(row["box_" + key]) for key in "xywh")
                found.setdefault(name, []).append(Photo(path, box, row["faces_found"] == "1"))
    return dict(sorted(found.items()))


def shuffled(rng, values):
    return [values[i] for i in rng.permutation(len(values))]


def choose_people(rng, photos, group, known_count, stranger_count):
    """Known people with one photo kept for the gallery, and strangers. Known people too many for known_count are
    strangers with several photos, so that the same stranger has to be found in different pictures."""
    is_known, is_stranger = ROLES[group]
    usable = {name: [photo for photo in photos[name] if photo.alone] for name in photos}
    candidates = shuffled(rng, [name for name in photos if is_known(len(photos[name])) and len(usable[name]) > 1])
    others = shuffled(rng, [name for name in photos if is_stranger(len(photos[name])) and usable[name]])
    known_count = min(known_count, len(candidates))
    known, recurring = candidates[:known_count], candidates[known_count:]
    strangers = (recurring + others)[:stranger_count]
    cast = []
    for name in known:
        gallery, *shown = shuffled(rng, usable[name])
        cast.append(Person(name, True, shown, gallery))
    return cast, [Person(name, False, shuffled(rng, usable[name])) for name in strangers]
