"""film_scores.py FILM_FOLDER TIMELINE… : how well a network tells known people and strangers apart on a film of make_film.py,
whatever the threshold.

Of uir-identify's tracks, as found: those while which one known person is to be seen alone, and those while which only strangers
are; others are left out. Prints, for shares of the strangers' tracks that may be named, the score that this takes, and the share of
the known ones that it names right; by hand."""
import csv
import json
import sys
from pathlib import Path

folder = Path(sys.argv[1])
with open(folder / "reference.csv") as file:
    reference = [(float(row["start"]), float(row["end"]), row["person"]) for row in csv.DictReader(file)]
for timeline in map(Path, sys.argv[2:]):
    document = json.loads((timeline / "timeline.json").read_text())
    known, strangers = [], []
    for track in document["tracks"]:
        begin, end = (ticks / document["film"]["ticks_per_second"] for ticks in track["time"])
        seen = {}
        for a, b, who in reference:
            if min(end, b) > max(begin, a):
                seen[who] = seen.get(who, 0) + min(end, b) - max(begin, a)
        person, score = track["candidates"][0]
        named = [who for who, time in seen.items() if not who.startswith("?") and time > (end - begin) / 2]
        if seen and not named:
            strangers.append(score)
        elif len(seen) == 1:
            known.append(score if person == named[0] else -1)
    strangers.sort(reverse=True)
    print(f"{timeline}: {len(known)} tracks of one known person, {len(strangers)} of strangers; "
          f"rank 1 {sum(score > -1 for score in known) / len(known):.3f}")
    for share in (0.01, 0.03, 0.1, 0.3):
        least = strangers[int(share * len(strangers))]
        print(f"  {share:.2f} of the strangers: score {least:.3f}, {sum(score > least for score in known) / len(known):.3f} named right")
