"""The truth about a film: who is visible in which frames, as CSV files with the times that a file gives its frames."""
import csv
from collections import defaultdict
from dataclasses import dataclass


@dataclass
class Interval:
    track: int
    shot: int
    person: object
    begin: int  # frames, half-open
    end: int
    boxes: list

    def heights(self):
        return [y2 - y1 for x1, y1, x2, y2 in self.boxes]


class Truth:
    """Somebody is visible where at least half of the face's box is in the picture and uncovered, at an opacity of at
    least one half. A track is one appearance in one shot; being hidden for a while splits it into intervals."""

    def __init__(self):
        self.frames, self.tracks, self.intervals, self.open = 0, {}, [], {}

    def add(self, faces):
        """The next frame's faces."""
        still = {}
        for face in faces:
            if face.visible():
                key = face.shot, face.part
                interval = self.open.get(key) or self.begin(key, face)
                interval.end = self.frames + 1
                interval.boxes.append(face.box)
                still[key] = interval
        self.open = still
        self.frames += 1

    def begin(self, key, face):
        track = self.tracks.setdefault(key, len(self.tracks) + 1)
        self.intervals.append(Interval(track, face.shot + 1, face.person, self.frames, self.frames, []))
        return self.intervals[-1]

    def of_people(self):
        """[(begin, end, label)], a person's intervals united, in the order of time."""
        frames = defaultdict(set)
        for interval in self.intervals:
            frames[interval.person.label()].update(range(interval.begin, interval.end))
        runs = []
        for label, seen in frames.items():
            begins = sorted(f for f in seen if f - 1 not in seen)
            ends = sorted(f + 1 for f in seen if f + 1 not in seen)
            runs += [(begin, end, label) for begin, end in zip(begins, ends)]
        return sorted(runs)

    def write(self, folder, video, times, scale=(1, 1), stem=""):
        """Writes reference.csv, tracks.csv and uem.csv, with a stem in front where a folder has several videos.
        times: when each frame begins and the last one ends, in seconds from the container's start."""
        second = lambda frame: f"{times[frame]:.6f}"
        box = lambda b: [f"{value * scale[i % 2]:.1f}" for i, value in enumerate(b)]
        write_rows(folder / f"{stem}reference.csv", ["video", "start", "end", "person"],
                   ([video, second(begin), second(end), label] for begin, end, label in self.of_people()))
        corners = [f"{end}_{corner}" for end in ("start", "end") for corner in ("x1", "y1", "x2", "y2")]
        write_rows(folder / f"{stem}tracks.csv",
                   ["video", "track", "shot", "start", "end", "person", *corners, "least_height", "greatest_height"],
                   ([video, t.track, t.shot, second(t.begin), second(t.end), t.person.label(), *box(t.boxes[0]),
                     *box(t.boxes[-1]), *(f"{h * scale[1]:.1f}" for h in (min(t.heights()), max(t.heights())))]
                    for t in sorted(self.intervals, key=lambda t: (t.begin, t.track))))
        write_rows(folder / f"{stem}uem.csv", ["video", "start", "end"], [[video, second(0), second(self.frames)]])

    def statistics(self):
        known = [t for t in self.intervals if t.person.known]
        strangers = [t for t in self.intervals if not t.person.known]
        seconds = lambda intervals: sum(t.end - t.begin for t in intervals) / 25
        return {"frames": self.frames, "tracks": len(self.tracks), "intervals": len(self.intervals),
                "known_tracks": len({t.track for t in known}), "stranger_tracks": len({t.track for t in strangers}),
                "known_people": len({t.person.name for t in known}), "strangers": len({t.person.name for t in strangers}),
                "known_person_seconds": seconds(known), "stranger_person_seconds": seconds(strangers)}


def write_rows(path, head, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
