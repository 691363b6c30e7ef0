"""make_film.py FACES OUT SEED [--minutes 20] [--group development] …: a film of real faces, and the truth about it.

For measurements of "who appears when". FACES is the folder that ../shared/data/unpack.sh prints, --lists the folder with
peopleDevTest.txt and the landmarks. The film and its photos show real people under terms that forbid passing them on: they
never go into the project. Needs ffmpeg (>= 5.1), NumPy and OpenCV (Debian: ffmpeg python3-opencv); run by hand.

OUT/film.mp4                        1280x720 (--height 360: 640x360), 25 fps, H.264
OUT/people/<name>/*.jpg             the gallery: one photo a person, which the film never shows
OUT/reference.csv                   video,start,end,person: a person's intervals, united; ?<name> is in no gallery
OUT/tracks.csv                      one line an interval of an appearance in a shot, with boxes and face heights
OUT/uem.csv                         video,start,end: what the reference covers
OUT/statistics.json                 how many tracks and seconds

With --variants OUT has one short film in many containers instead, each with <file>.reference.csv and so on, and the three
files of all of them. Times are seconds from the container's start, as half-open intervals [start, end).

--group benchmark (figures that are published) and --group development (finding rules and thresholds) share nobody.
--strangers-only makes everybody a stranger: for calibration. The same seed and versions give the same bytes.
"""
import argparse
import json
import shutil
from pathlib import Path

import cv2
import numpy as np

from film import files
from film.people import choose_people, read_photos
from film.render import Painter
from film.script import FPS, Writer
from film.truth import Truth, write_rows


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("faces", type=Path)
    p.add_argument("out", type=Path)
    p.add_argument("seed", type=int)
    p.add_argument("--lists", type=Path, default=Path("../shared/data/lfw"))
    p.add_argument("--group", choices=("benchmark", "development"), default="benchmark")
    p.add_argument("--minutes", type=float, default=20)
    p.add_argument("--people", type=int, default=35,
                   help="known people; those left over are strangers with several photos")
    p.add_argument("--strangers", type=int, default=200, help="at most so many strangers")
    p.add_argument("--strangers-only", action="store_true")
    p.add_argument("--height", type=int, choices=(360, 720), default=720)
    p.add_argument("--variants", action="store_true")
    return p.parse_args()


def shots_and_gallery(a):
    rng = np.random.default_rng(a.seed)
    photos, known_count = read_photos(a.faces, a.lists), 0 if a.strangers_only else a.people
    known, strangers = choose_people(rng, photos, a.group, known_count, a.strangers)
    return Writer(rng, known, strangers).write(round(a.minutes * 60 * FPS)), known


def portrait(photo):
    """The photo cut to its person's face and some room: others may stand beside."""
    x, y, w, h = photo.box
    image = cv2.imread(str(photo.path))
    top, bottom = max(0, int(y - 0.3 * h)), int(y + 1.2 * h)
    return image[top:bottom, max(0, int(x - 0.3 * w)):int(x + 1.3 * w)]


def write_gallery(folder, known):
    for person in known:
        to = folder / "people" / person.name
        to.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(to / person.gallery.path.name), portrait(person.gallery), [cv2.IMWRITE_JPEG_QUALITY, 95])


def film(path, shots, a, options):
    """Draws and encodes; returns the truth."""
    painter, truth, width = Painter(shots, a.height * 16 // 9, a.height), Truth(), a.height * 16 // 9
    with files.Encoder(path, width, a.height, FPS, options) as write:
        for frame, faces in painter.frames():
            write(frame)
            truth.add(faces)
    return truth


def make_variants(a, shots):
    """One film, drawn once without loss, in all containers."""
    master = a.out / "master.mkv"
    truth = film(master, shots, a, ["-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", "-threads", "1"])
    for name, variant in files.variants(a.height * 16 // 9, a.height).items():
        times = files.make_variant(master, a.out / name, truth.frames / FPS, variant)
        shown = 576 / a.height if name.startswith("anamorphic") else 1
        truth.write(a.out, name, [float(time) for time in times], (shown, shown), name + ".")
    master.unlink()
    for kind in ("reference", "tracks", "uem"):
        parts = [path.read_text().splitlines() for path in sorted(a.out.glob(f"*.*.{kind}.csv"))]
        rows = (line.split(",") for part in parts for line in part[1:])
        write_rows(a.out / f"{kind}.csv", parts[0][0].split(","), rows)
    return truth


def main():
    a = arguments()
    cv2.setNumThreads(1)
    shutil.rmtree(a.out / "people", ignore_errors=True)
    a.out.mkdir(parents=True, exist_ok=True)
    shots, known = shots_and_gallery(a)
    write_gallery(a.out, known)
    if a.variants:
        truth = make_variants(a, shots)
    else:
        truth = film(a.out / "film.mp4", shots, a, [*files.H264, "-movflags", "+faststart"])
        truth.write(a.out, "film.mp4", [float(time) for time in files.frame_times(a.out / "film.mp4")])
    statistics = json.dumps({**truth.statistics(), "shots": len(shots), "gallery": len(known)}, indent=1)
    (a.out / "statistics.json").write_text(statistics + "\n")
    print(statistics)


if __name__ == "__main__":
    main()
