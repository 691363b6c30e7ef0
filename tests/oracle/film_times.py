"""film_times.py FILM_FOLDER TIMELINE… : how exact uir-identify's times are on a film of make_film.py.

Of every interval in which somebody is to be seen in a shot (tracks.csv; with --variants FILE.tracks.csv), its begin and end
against the nearest begin and end of a row of TIMELINE/timeline.csv that shares time with it: how many are within one frame.
Who it is does not matter here. Prints a line a timeline; run by hand."""
import csv
import json
import sys
from pathlib import Path


def rows(path):
    with open(path) as file:
        return [(float(row["start"]), float(row["end"])) for row in csv.DictReader(file)]


def exact(truth, found, frame):
    """Of begins and of ends: the share within one frame, and how many have nothing near."""
    within, lost = [0, 0], 0
    for span in truth:
        near = [other for other in found if min(span[1], other[1]) > max(span[0], other[0])]
        lost += not near
        for edge in (0, 1):
            within[edge] += any(abs(other[edge] - span[edge]) <= 1.01 * frame for other in near)
    return [count / len(truth) for count in within], lost


folder = Path(sys.argv[1])
for timeline in map(Path, sys.argv[2:]):
    film = json.loads((timeline / "timeline.json").read_text())["film"]
    own = folder / (film["file"] + ".tracks.csv")
    (begins, ends), lost = exact(rows(own if own.exists() else folder / "tracks.csv"), rows(timeline / "timeline.csv"),
                                 film["rate"][1] / film["rate"][0])
    print(f"{film['file']}: begins within one frame {begins:.3f}, ends {ends:.3f}, not seen at all {lost}")
