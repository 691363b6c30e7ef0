"""Writes timelines by hand: make_timeline.py FOLDER FILM RATE TICKS_PER_SECOND [CONTAINER_START]: a film of 20 s, six people
whose names mean something to one format or another, one stranger. Prints the people's names, a line each."""
import json
import os
import sys
from fractions import Fraction

folder, film, rate, ticks = sys.argv[1], sys.argv[2], Fraction(sys.argv[3]), int(sys.argv[4])
start = int(sys.argv[5]) if len(sys.argv) > 5 else 0
names = ["A --> B", "O'Neil, \"Kit\"", "a|b=c;d#e\\f", "AC/DC", "Zoë", "<v Bob>&amp;"]
at = lambda frame: round(frame / rate * ticks)
end = 20 * ticks
shots = [[0, at(100)], [at(100), at(200)], [at(200), at(330)], [at(330), end]]
# Person, shot, frames.
appearances = [(0, 0, 10, 60), (1, 1, 110, 150), (2, 2, 210, 215), (3, 2, 220, 300), (4, 3, 331, 340), (5, 3, 400, 450), (0, 3, 460, 470),
               (None, 1, 160, 190)]
appearances.sort(key=lambda a: a[2])
hidden = {1: [(120, 125), (130, 131)]}  # frames, of which of them
tracks = []
for i, (person, shot, first, last) in enumerate(appearances):
    name = "" if person is None else names[person]
    gone = hidden.get(i, [])
    frames = [f for f in range(first, last, 2) if not any(a <= f < b for a, b in gone)]
    tracks.append({"id": i + 1, "time": [at(first), at(last)], "shot": shot, "verdict": "stranger" if person is None else "known", "person": name,
                   "stranger": 1 if person is None else 0, "candidates": [[name or "AC/DC", .7 if name else .2]], "by_hand": False, "picture": "",
                   "faces": [[at(first), .5, i]], "sights": [[at(f), 10, 10, 60, 70] for f in frames]})
    if gone:
        tracks[-1]["hidden"] = [[at(a), at(b)] for a, b in gone]
document = {
    "format": "uir-timeline", "version": 1,
    "film": {"file": os.path.basename(film), "path": "../" + film, "bytes": 1, "checksum": "0", "ticks_per_second": ticks,
             "container_start": start, "shown": [0, end], "width": 320, "height": 180, "frames": int(20 * rate), "lost": 0,
             "rate": [rate.numerator, rate.denominator], "constant_rate": True},
    "photos": [], "people": [{"name": name, "photos": 1} for name in names],
    "thresholds": {"known": .5, "unsure": .4, "same_person": .4, "smallest_face": 24, "because": "by hand"},
    "made_by": {"program": "make_timeline.py"}, "vector_size": 4, "shots": shots, "uncut": [], "tracks": tracks,
}
os.makedirs(folder, exist_ok=True)
with open(os.path.join(folder, "timeline.json"), "w") as file:
    json.dump(document, file, indent=1, ensure_ascii=False)
print("\n".join(names))
