"""make_trees.py FACES OUT [SEED]: tiny benchmarks in the layouts in which their users have them.

FACES is a folder of make_faces (person_0007/person_0007_0003.jpg), at least 40 people with 12 images; "-" makes lists and
planted features only, without images. Every tree comes with planted features: two thirds of the rows have four
components ±0.5 (so scores are multiples of 1/4, and ties are exact), the rest are random; some rows stand twice.
"""
import pickle
import random
import shutil
import struct
import sys
from itertools import combinations
from pathlib import Path

import numpy as np


class Trees:
    def __init__(self, faces, out, seed=0):
        self.faces, self.out, self.seed = faces, Path(out), int(seed)

    def image(self, path, person, number):
        """Copies the number-th face of a person to OUT/path."""
        if self.faces == "-":
            return
        person = f"person_{person:04d}"
        to = self.out / path
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(f"{self.faces}/{person}/{person}_{number + 1:04d}.jpg", to)

    def text(self, path, rows, separator=" "):
        to = self.out / path
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text("".join(separator.join(map(str, row)) + "\n" for row in rows))

    def plant(self, name, items, identities, labels=None):
        """OUT/planted/NAME.{npy,bin,mirrored.npy,mirrored.bin,items,labels}: features of images of these identities."""
        rng = np.random.default_rng([len(items), self.seed])
        plain, mirrored = planted_features(np.array(identities), rng)
        folder = self.out / "planted"
        folder.mkdir(parents=True, exist_ok=True)
        for suffix, f in ("", plain), (".mirrored", mirrored):
            np.save(folder / f"{name}{suffix}.npy", f)
            header = struct.pack("<4i", *f.shape, f.shape[1] * 4, 5)
            (folder / f"{name}{suffix}.bin").write_bytes(header + f.tobytes())
        self.text(f"planted/{name}.items", [[item] for item in items])
        self.text(f"planted/{name}.labels", [[label] for label in (identities if labels is None else labels)])


def planted_features(identities, rng, dim=16):
    def four_halves():
        x = np.zeros(dim)
        x[rng.choice(dim, 4, replace=False)] = rng.choice([-0.5, 0.5], 4)
        return x

    def one_moved(x):
        """The same with one of the four components elsewhere: cosine 0.75."""
        x = x.copy()
        x[rng.choice(np.flatnonzero(x))] = 0
        x[rng.choice(np.flatnonzero(x == 0))] = rng.choice([-0.5, 0.5])
        return x if np.count_nonzero(x) == 4 else one_moved(x)

    center = {identity: four_halves() for identity in dict.fromkeys(identities)}
    plain, mirrored = [], []
    for row, identity in enumerate(identities):
        moved = one_moved(center[identity])
        if row % 3 == 2:
            plain.append(moved + rng.normal(0, 0.25, dim))
            mirrored.append(plain[-1] + rng.normal(0, 0.05, dim))
        else:
            plain.append(moved * rng.choice([1, 2, 4]))
            mirrored.append(plain[-1])
    for row in range(0, len(plain) - 7, 7):  # duplicates, within an identity and across
        plain[row + 1], mirrored[row + 1] = plain[row], mirrored[row]
    return np.array(plain, np.float32), np.array(mirrored, np.float32)


POINTS = "38.2946 51.6963 73.5318 51.5014 56.0252 71.7366 41.5493 92.3655 70.7299 92.2041".split()


def lfw(t):
    """Name/Name_0001.jpg, pairs.txt (4 folds), pairsDevTest.txt (no folds), gallery and probe lists."""
    people = [(f"Person_{chr(65 + p)}", p) for p in range(12)]
    images = {name: 6 - p % 3 for name, p in people} | {"Person_L": 1, "Person_K": 1}
    for name, p in people:
        for k in range(images[name]):
            t.image(f"lfw/{name}/{name}_{k + 1:04d}.jpg", p, k)
    item = lambda name, k: f"{name}/{name}_{k:04d}.jpg"
    items = [item(name, k + 1) for name, _ in people for k in range(images[name])]
    t.plant("lfw", items, [people.index((i.split("/")[0], ord(i[7]) - 65)) for i in items])
    rng = random.Random(1)
    same = [(name, i, j) for name, _ in people for i, j in combinations(range(1, images[name] + 1), 2)]
    cross = [(a, i, b, j) for (a, _), (b, _) in combinations(people, 2)
             for i in range(1, images[a] + 1) for j in range(1, images[b] + 1)]
    rng.shuffle(same)
    rng.shuffle(cross)
    per_fold = [row for f in range(4) for row in same[f * 9:f * 9 + 9] + cross[f * 9:f * 9 + 9]]
    t.text("lists/pairs.txt", [[4, 9]] + per_fold, "\t")
    t.text("lists/pairsDevTest.txt", [[43]] + same[:43] + cross[100:143], "\t")
    both = lambda row: (row[:2], (row[0], row[2]) if len(row) == 3 else row[2:])
    if t.faces != "-":
        image = lambda name, k: (t.out / "lfw" / item(name, k)).read_bytes()
        rows = [same[n] if n % 2 else cross[n] for n in range(43)]
        bins = [image(*side) for row in rows for side in both(row)]
        (t.out / "lists/lfw.bin").write_bytes(pickle.dumps((bins, [len(row) == 3 for row in rows]), protocol=4))
    mixed = [row for two in zip(same[:37], cross[50:87]) for row in two]
    t.text("lists/pairs_CALFW.txt", [(item(*image), int(len(row) == 3)) for row in mixed for image in both(row)])
    flat = [(*(item(*image) for image in both(row)), int(len(row) == 3)) for row in mixed]
    t.text("lists/agedb_30_pair.txt", flat)
    absent = {item("Person_C", 2), item("Person_F", 1)}  # of which no face was found: their pairs name nobody
    gone = lambda image: image.replace("Person", "Nobody") if image in absent else image
    t.text("lists/with_absent.txt", [(gone(a), gone(b), same) for a, b, same in flat])
    absent_lfw = lambda row: [f.replace("Person_B", "Nobody") if isinstance(f, str) else f for f in row]
    t.text("lists/pairs_with_absent.txt", [[4, 9]] + [absent_lfw(row) for row in per_fold], "\t")
    gallery = [(item(name, k), k, p) for name, p in people[:8] for k in range(1, 2 + (p == 3))]
    probe = [(item(name, k), k, p) for name, p in people for k in range(1, images[name] + 1)
             if item(name, k) not in {g[0] for g in gallery}]
    t.text("lists/lfw_1N_gallery.txt", gallery)
    t.text("lists/lfw_1N_probe.txt", probe)


def cfp(t):
    """Data/Images/001/frontal/01.jpg and profile/01.jpg; Protocol/ with numbered lists and ten splits of FF and FP."""
    rng = random.Random(2)
    view = {"frontal": 4, "profile": 2}
    images = {v: [(p, k) for p in range(10) for k in range(n)] for v, n in view.items()}
    items = {v: [f"{p + 1:03d}/{v}/{k + 1:02d}.jpg" for p, k in images[v]] for v in view}
    for v in view:
        for item, (p, k) in zip(items[v], images[v]):
            t.image(f"cfp/Data/Images/{item}", p + 20, k + 4 * (v == "profile"))
        number = [(n + 1, f"../Data/Images/{item}") for n, item in enumerate(items[v])]
        t.text(f"cfp/Protocol/Pair_list_{v[0].upper()}.txt", number)
    for kind in "FF", "FP":
        second = images["frontal" if kind == "FF" else "profile"]
        pairs = [(i + 1, j + 1, p == q) for i, (p, _) in enumerate(images["frontal"]) for j, (q, _) in enumerate(second)
                 if kind == "FP" or i < j]
        rng.shuffle(pairs)
        for name, wanted in ("same", True), ("diff", False):
            chosen = [(i, j) for i, j, same in pairs if same == wanted]
            for fold in range(10):
                t.text(f"cfp/Protocol/Split/{kind}/{fold + 1:02d}/{name}.txt", chosen[4 * fold:4 * fold + 4], ",")
    t.text("cfp/images.txt", [[item] for v in view for item in items[v]])
    t.plant("cfp", items["frontal"] + items["profile"], [p for v in view for p, _ in images[v]])


def ijb(t, name, galleries, first_person):
    """loose_crop/N.jpg and meta/: template and media numbers with gaps, several images of a medium, all pairs of probes."""
    rng = random.Random(first_person)
    upper, subjects = name.upper(), [11 + 7 * s for s in range(12)]
    images, templates, of_template = [], {}, {}

    def template(subject, media):
        number = 5 + 3 * len(templates) + len(templates) // 4
        templates[number] = subject
        for medium in media:
            for _ in range(rng.choice((1, 1, 2, 3))):
                images.append((f"{len(images) + 1}.jpg", number, medium))
                of_template.setdefault(number, []).append(images[-1][0])
        return number

    gallery = [[template(s, (1000 + s, 2000 + s)) for s in subjects[g::2]] for g in (0, 1)]
    probes = [template(s, [3000 + 10 * s + k, 4000 + s][:1 + k % 2]) for s in subjects for k in range(2 + s % 2)]
    rng.shuffle(images)  # the list is not in the order of templates
    images.sort(key=lambda image: image[1] % 4)

    for image, number, _ in images:
        subject = templates[number]
        t.image(f"{name}/{upper}/loose_crop/{image}", first_person + subjects.index(subject),
                of_template[number].index(image) + number % 4)
    meta = f"{name}/{upper}/meta/{name}"
    t.text(f"{meta}_face_tid_mid.txt", images)
    t.text(f"{meta}_name_5pts_score.txt",
           [[image, *POINTS, f"{rng.choice((0.25, 0.5, 0.75, 0.9876, 1.0)):g}"] for image, _, _ in images])
    pairs = [(a, b, int(templates[a] == templates[b])) for a in gallery[0] + gallery[1] + probes[:6] for b in probes
             if a != b]
    t.text(f"{meta}_template_pair_label.txt", pairs)
    for label, members in zip((*(f"gallery_{g}" for g in galleries), "probe_mixed"), (*gallery, probes)):
        rows = [(number, templates[number], f"img/{image}", 1, 2, 3, 4)
                for number in members for image in of_template[number]]
        t.text(f"{meta}_1N_{label}.csv",
               [("TEMPLATE_ID", "SUBJECT_ID", "FILENAME", "FACE_X", "FACE_Y", "FACE_WIDTH", "FACE_HEIGHT")] + rows, ",")
    t.plant(name, [i[0] for i in images], [templates[i[1]] for i in images])


def trillion(t):
    """testdata/, testdata_lmk.txt, labels: 11 celebrities, one with one image, distractors (-1) between them; and the LFR image track."""
    rng = random.Random(3)
    rows = [(p, k, p) for p in range(11) for k in range((2 + p % 4) if p < 10 else 1)] + [(p, k, -1) for p in range(12, 32) for k in (0, 1)]
    rng.shuffle(rows)
    names = [f"{n // 10:03d}/{n:07d}.jpg" for n in range(len(rows))]
    for name, (person, k, _) in zip(names, rows):
        t.image(f"trillion/testdata/{name}", person, k)
        t.image(f"lfr_image/{name}", person, k)
    t.text("trillion/testdata_lmk.txt", [[f"testdata/{name}", *POINTS] for name in names])
    t.text("trillion/labels.txt", [[label] for _, _, label in rows])
    t.text("lfr_image/filelist.txt", [[name] for name in names])
    t.text("lfr_image/labels.txt", [[label] for _, _, label in rows])
    for name, items in ("trillion", [f"testdata/{name}" for name in names]), ("lfr_image", names):
        t.plant(name, items, [person for person, _, _ in rows], [label for _, _, label in rows])


def lfr_video(t):
    """iQIYI_VID_FACE/<video>/*.jpg, filelist.txt with frame counts; the user's own labels and qualities."""
    videos = [(f"{10 * v + v % 3:06d}", v // 3, 1 + v % 4) for v in range(24)]
    random.Random(4).shuffle(videos)
    frames = [(video, person, f"{video}/{f + 1:04d}.jpg") for video, person, n in videos for f in range(n)]
    for f, (video, person, path) in enumerate(frames):
        t.image(f"lfr_video/iQIYI_VID_FACE/{path}", person, f % 12)
    t.text("lfr_video/filelist.txt", [(video, n) for video, _, n in videos])
    t.text("lfr_video/labels.txt", [(video, person) for video, person, _ in videos])
    t.text("lfr_video/quality.txt", [(path, 0.25 * (1 + f % 5)) for f, (_, _, path) in enumerate(frames)], "\t")
    t.plant("lfr_video", [path for _, _, path in frames], [person for _, person, _ in frames])


def iqiyi(t):
    """The lists of 2019 (0 = other people), frames as in the LFR video track."""
    train = [(f"IQIYI_VID_TRAIN_{v:07d}.mp4", 1 + v % 6 if v < 24 else 0) for v in range(30)]
    val = [(f"IQIYI_VID_VAL_{v:07d}.mp4", 1 + v % 6 if v < 27 else 0) for v in range(36)]
    random.Random(5).shuffle(val)
    frames = []
    for v, (video, person) in enumerate(train + val):
        for f in range(1 + v % 3):
            who = person if person else 10 + v % 5
            frames.append((f"{video[:-4]}/{f + 1:04d}.jpg", who))
            t.image(f"iqiyi/frames/{frames[-1][0]}", who, (v + 3 * f) % 12)
    t.text("iqiyi/train_gt.txt", train)
    t.text("iqiyi/val_gt.txt", [(p, *(video for video, person in val if person == p)) for p in range(1, 7)])
    frames.sort()
    t.plant("iqiyi", [path for path, _ in frames], [who for _, who in frames])


def clips(t):
    """One image, or one embedding, per video: items without a slash. Lists of both challenges over them."""
    videos = [(f"clip_{v:02d}.jpg", v % 7) for v in range(35)]
    random.Random(6).shuffle(videos)
    for v, (video, person) in enumerate(videos):
        t.image(f"clips/images/{video}", person, v % 12)
    t.text("clips/list.txt", [[video] for video, _ in videos])
    t.text("clips/labels.txt", videos)
    t.text("clips/train.txt", videos[:14])
    t.text("clips/val.txt", [(p, *(video for video, person in videos[14:] if person == p)) for p in range(7)])
    t.plant("clips", [video for video, _ in videos], [person for _, person in videos])


def megaface(t):
    """facescrub_images, megaface_images, their lists, and noise lists as in InsightFace's public evaluation."""
    probes = [(f"Actor_{p}/Actor_{p}_{11 * k + p}.jpg", p, k) for p in range(6) for k in range(3 + p % 3)]
    people = list(range(10, 40))
    distractors = [(f"{p}{p % 3}/{p:08d}@N0{k}/{p}_{k}.jpg", p, k) for p in people for k in range(1 + p % 2)]
    for path, p, k in probes:
        t.image(f"megaface/facescrub_images/{path}", p, k)
    for path, p, k in distractors:
        t.image(f"megaface/megaface_images/{path}", p, k)
    t.text("megaface/facescrub_lst", [[path] for path, _, _ in probes])
    t.text("megaface/megaface_lst", [[path] for path, _, _ in distractors])
    noise = [[path.split("/")[1]] for path, _, _ in probes[2:20:7]]
    t.text("megaface/facescrub_noises.txt", [["# noises of facescrub"]] + noise)
    t.text("megaface/megaface_noises.txt",
           [["# noises of megaface"]] + [[n, path] for n, (path, _, _) in enumerate(distractors[3::9])], "\t")
    t.plant("facescrub", [path for path, _, _ in probes], [p for _, p, _ in probes])
    t.plant("megaface", [path for path, _, _ in distractors], [p for _, p, _ in distractors])


def timelines(t):
    """Timelines of three films: the truth, what two tools might say (one in two files, more columns, another order), spans."""
    cast = ["Anna Lee", "Bond, \"007\"", "Çağla", "?", "?waiter", "?guest"]
    rng = random.Random(7)
    time = lambda ms: f"{ms / 1000:.3f}"
    quoted = lambda text: '"' + text.replace('"', '""') + '"'
    truth, ours, theirs = [], [], []
    for film in "night, part 1.mp4", "day.mkv", "dusk.mp4":
        for _ in range(40):
            start, length = rng.randrange(110_000), rng.choice([rng.randrange(1, 200), rng.randrange(200, 8000)])
            who = rng.choice(cast)
            truth.append((film, start, start + length, who))
            if rng.random() < 0.85:
                found = who if rng.random() < 0.8 else rng.choice([*cast, "Extra"])
                if found.startswith("?"):
                    found = rng.choice(["?", "unsure", "too small", f"stranger {1 + cast.index(found) % 4 + rng.randrange(2)}"])
                begin, end = start + rng.randrange(-300, 300), start + length + rng.randrange(1, 400)
                ours.append((film, max(begin, 0), max(end, begin + 1, 1), found))
                if film != "dusk.mp4":
                    theirs.append((film, start // 1000 * 1000, (start + length) // 1000 * 1000 + 1000, found))
    plain = lambda rows: [[quoted(film), time(start), time(end), quoted(who)] for film, start, end, who in rows]
    header = [["video", "start", "end", "person"]]
    t.text("timelines/truth.csv", header + plain(truth), ",")
    t.text("timelines/nobody.csv", header, ",")
    t.text("timelines/ours_1.csv", header + plain(ours[:50]), ",")
    t.text("timelines/ours_2.csv", [["track", "person", "end", "start", "score", "video"]] +
           [[n, who, end, start, 0.5, film] for n, (film, start, end, who) in enumerate(plain(ours[50:]))], ",")
    t.text("timelines/theirs.csv", header + plain(theirs), ",")
    spans = [("day.mkv", 5_000, 60_000), ("day.mkv", 50_000, 80_500), ("dusk.mp4", 0, 40_001), ("noon.mp4", 0, 9_000)]
    t.text("timelines/spans.csv", [header[0][:3]] + [[v, time(a), time(b)] for v, a, b in spans], ",")
    t.text("timelines/spans.uem", [[";;", "annotated"]] + [[v, 1, time(a), time(b)] for v, a, b in spans[1:]])


if __name__ == "__main__":
    trees = Trees(*sys.argv[1:])
    lfw(trees)
    cfp(trees)
    ijb(trees, "ijbc", ("G1", "G2"), 0)
    ijb(trees, "ijbb", ("S1", "S2"), 14)
    for make in trillion, lfr_video, iqiyi, clips, megaface, timelines:
        make(trees)
