"""Reads a timeline's files with the parsers that people use, and holds them against each other and against the CSV.

timeline_files.py FOLDER NAME...: everybody whom the timeline shows. Parsers that are not installed are left out and said.
"""
import csv
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from shutil import which


def have(module):
    try:
        return __import__(module)
    except ImportError:
        print(f"without {module}")
        return None


def visible_intervals(rows):
    """United intervals of [start, end); who is hidden for up to a second stays visible (these rows: in one shot)."""
    result = []
    for start, end in sorted(rows):
        if result and start <= result[-1][1] + 1:
            result[-1][1] = max(result[-1][1], end)
        else:
            result.append([start, end])
    return result


def close(a, b, tolerance):
    return len(a) == len(b) and all(abs(x - y) <= tolerance for p, q in zip(a, b) for x, y in zip(p, q))


def clock(text):
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def check_captions(folder, layer, expected):
    webvtt = have("webvtt")
    if webvtt:
        found = {}
        for cue in webvtt.read(str(folder / f"{layer}.vtt")):
            name = cue.text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
            found.setdefault(name, []).append([clock(cue.start), clock(cue.end)])
        assert found.keys() == expected.keys(), (found.keys(), expected.keys())
        for name in expected:
            assert close(found[name], expected[name], .0006), (layer, name, found[name], expected[name])
    if which("ffprobe"):
        packets = json.loads(subprocess.run(["ffprobe", "-v", "error", "-of", "json", "-show_packets", folder / f"{layer}.vtt"],
                                            capture_output=True, check=True).stdout)["packets"]
        assert len(packets) == sum(map(len, expected.values())), "ffprobe sees another number of cues"


def check_chapters(folder, expected):
    if not which("ffprobe"):
        return
    found = {}
    for path in folder.glob("players/*.chapters.txt"):
        chapters = json.loads(subprocess.run(["ffprobe", "-v", "error", "-f", "ffmetadata", "-of", "json", "-show_chapters", path],
                                             capture_output=True, check=True).stdout)["chapters"]
        names = {c["tags"]["title"].rsplit(" ", 1)[0] for c in chapters}
        assert len(names) == 1, names
        found[names.pop()] = [[float(c["start_time"]), float(c["end_time"])] for c in chapters]
    assert found.keys() == expected.keys(), (found.keys(), expected.keys())
    for name in expected:
        assert close(found[name], expected[name], .0006), (name, found[name], expected[name])


def check_cuts(folder, expected, rate):
    """CMX 3600 and OpenTimelineIO, in frames."""
    frames = {name: [[round(Fraction(t).limit_denominator(10**9) * rate) for t in span] for span in spans]
              for name, spans in expected.items()}
    timecode = have("timecode")
    seen = set()
    for path in folder.glob("editors/*.edl"):
        lines = path.read_text().splitlines()
        name = lines[0].removeprefix("TITLE: ")
        seen.add(name)
        drops = rate in (Fraction(30000, 1001), Fraction(60000, 1001))
        assert lines[1] == ("FCM: DROP FRAME" if drops else "FCM: NON-DROP FRAME")
        if not timecode:
            continue
        text = {Fraction(30000, 1001): "29.97", Fraction(24000, 1001): "23.976"}.get(rate, str(rate))
        number = lambda code: timecode.Timecode(text, code, **({} if drops else {"force_non_drop_frame": True})).frames - 1
        events = [line.split()[-4:] for line in lines if line[:3].isdigit()]
        assert [[number(e[0]), number(e[1])] for e in events] == frames[name], (name, events, frames[name])
        cut = number("01:00:00;00" if drops else "01:00:00:00")
        for event, (begin, end) in zip(events, frames[name]):
            assert number(event[2]) == cut and number(event[3]) == cut + end - begin, (name, event)
            cut += end - begin
    assert seen == expected.keys(), (seen, expected.keys())
    otio = have("opentimelineio")
    if not otio:
        return
    seen = set()
    for path in folder.glob("editors/*.otio"):
        timeline = otio.adapters.read_from_file(str(path))
        seen.add(timeline.name)
        assert len(timeline.video_tracks()) == 1 and len(timeline.audio_tracks()) == 1
        for track in timeline.tracks:
            ranges = [[clip.source_range.start_time.value, clip.source_range.end_time_exclusive().value] for clip in track]
            assert ranges == frames[timeline.name], (timeline.name, ranges)
        assert abs(timeline.duration().to_seconds() - sum(e - b for b, e in frames[timeline.name]) / float(rate)) < 1e-6
    assert seen == expected.keys()
    if "cmx_3600" in otio.adapters.available_adapter_names():
        for path in folder.glob("editors/*.edl"):
            cuts = otio.adapters.read_from_file(str(path), rate=float(rate))
            assert len(list(cuts.find_clips())) == len(frames[cuts.name]), path


def main():
    folder, names = Path(sys.argv[1]), sys.argv[2:]
    document = json.loads((folder / "timeline.json").read_text())
    rate = Fraction(*document["film"]["rate"])
    with open(folder / "timeline.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:4] == ["video", "start", "end", "person"]
    visible = {name: visible_intervals([float(r["start"]), float(r["end"])] for r in rows if r["person"] == name) for name in names}
    assert {r["person"] for r in rows} == set(names), "people of the table"
    check_captions(folder, "visible", visible)
    # The scenes as the program prints them.
    program = ["uir-identify", "only", folder]
    scenes = {}
    for name in names:
        lines = subprocess.run(program + [name], capture_output=True, check=True, text=True).stdout.splitlines()
        scenes[name] = [[clock(part) for part in line.split()[:2]] for line in lines]
    check_captions(folder, "scenes", scenes)
    named = {name: spans for name, spans in scenes.items() if not name.startswith("stranger ")}
    check_chapters(folder, named)
    check_cuts(folder, named, rate)


if __name__ == "__main__":
    main()
