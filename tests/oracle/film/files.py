"""Films as files: encoding, the times that a file gives its frames, and one short film in many containers."""
import json
import struct
import subprocess
from fractions import Fraction

H264 = ["-c:v", "libx264", "-preset", "superfast", "-crf", "21", "-threads", "1", "-pix_fmt", "yuv420p",
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
QUIET = ["ffmpeg", "-y", "-v", "error", "-nostdin", "-threads", "1", "-filter_threads", "1"]
SAME_BYTES = ["-fflags", "+bitexact", "-flags", "+bitexact", "-map_metadata", "-1"]


class Encoder:
    """Frames of BGR pixels into a file; with statement."""

    def __init__(self, path, width, height, rate, options):
        take = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}", "-r", str(rate), "-i", "pipe:0"]
        quiet = [option for option in QUIET if option != "-nostdin"]
        colours = ["-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"]
        command = [*quiet, *take, *colours, *options, *SAME_BYTES, str(path)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE)

    def __enter__(self):
        return lambda frame: self.process.stdin.write(frame.data)

    def __exit__(self, *error):
        self.process.stdin.close()
        if self.process.wait() != 0 and not error[0]:
            raise RuntimeError("ffmpeg failed")


def frame_times(path):
    """When each frame of the pictures begins, and when the last one ends, in seconds from the container's start."""
    entries = "stream=time_base:frame=best_effort_timestamp,pkt_duration:format=start_time"
    command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "json", f"file:{path}"]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    base, start = Fraction(found["streams"][0]["time_base"]), Fraction(found["format"]["start_time"])
    times = [int(frame["best_effort_timestamp"]) * base - start for frame in found["frames"]]
    last = found["frames"][-1].get("pkt_duration")
    return [*times, times[-1] + (int(last) * base if last else times[-1] - times[-2])]


def turned(path, matrix):
    """Writes the display matrix of an MP4's first track: a, b, c, d, x, y; a point (p, q) is shown at
    (a p + c q + x, b p + d q + y)."""
    a, b, c, d, x, y = matrix
    data = bytearray(path.read_bytes())
    head = data.index(b"tkhd")
    at = head + (44 if data[head + 4] == 0 else 56)
    one = lambda value: int(value * 65536)
    data[at:at + 36] = struct.pack(">9i", one(a), one(b), 0, one(c), one(d), 0, one(x), one(y), 1 << 30)
    path.write_bytes(data)


# Every third frame .013 s late, and half as many a second from the 100th on: what a telephone writes.
UNEVEN = "if(lt(N,100),N,100+2*(N-100))/25+if(eq(mod(N,3),1),0.013,0)"


def uneven(n):
    return (n if n < 100 else 100 + 2 * (n - 100)) / 25 + (0.013 if n % 3 == 1 else 0)


def variants(width, height):
    """name: (filter, options, expected time of frame n, display matrix, sound in seconds beyond the pictures or None)."""
    even = lambda n: n / 25
    plain, b = ["-bf", "0"], ["-bf", "2"]
    fine = ["-video_track_timescale", "90000"]
    clock = ["-enc_time_base", "1/90000"]
    vary, late = f"settb=1/90000,setpts='({UNEVEN})/TB'", "settb=1/90000,setpts=PTS+0.5/TB"
    return {
        "constant.mp4": ("null", plain, even, None, None),
        "bframes.mp4": ("null", b, even, None, None),
        "bframes.mkv": ("null", b, even, None, None),
        "variable.mp4": (vary, [*b, *clock, *fine], uneven, None, None),
        "variable.mkv": (vary, [*b, *clock], uneven, None, None),
        "ntsc.mp4": ("settb=1001/30000,setpts=N", [*b, "-r", "30000/1001"], lambda n: n * 1001 / 30000, None, None),
        "ntsc.mkv": ("settb=1001/30000,setpts=N", [*b, "-r", "30000/1001"], lambda n: n * 1001 / 30000, None, None),
        "offset500.mp4": (late, [*b, *clock, *fine], lambda n: n / 25 + 0.5, None, 0),
        "offset500.mkv": (late, [*b, *clock], lambda n: n / 25 + 0.5, None, 0),
        "longsound.mkv": ("null", b, even, None, 6),
        "from5s.ts": ("null", [*b, "-output_ts_offset", "5", "-muxdelay", "0", "-muxpreload", "0"], even, None, None),
        "clockwise90.mp4": ("transpose=cclock", b, even, (0, 1, -1, 0, height, 0), None),
        "counter90.mp4": ("transpose=clock", b, even, (0, -1, 1, 0, 0, width), None),
        "turned180.mp4": ("hflip,vflip", b, even, (-1, 0, 0, -1, width, height), None),
        "mirrored.mp4": ("hflip", b, even, (-1, 0, 0, 1, width, 0), None),
        "mirrored90.mp4": ("transpose=cclock_flip", b, even, (0, 1, 1, 0, 0, 0), None),
        "anamorphic.mp4": ("scale=720:576,setsar=64/45", b, even, None, None),
    }


def make_variant(master, path, seconds, variant):
    filters, options, expected, matrix, sound = variant
    hum = [] if sound is None else ["-f", "lavfi", "-i", f"sine=frequency=110:duration={seconds + sound:.3f},volume=0.05"]
    voice = [] if sound is None else ["-map", "1:a", "-c:a", "flac", "-strict", "experimental"]
    subprocess.run([*QUIET, "-i", str(master), *hum, "-map", "0:v", *voice, "-vf", filters, *H264,
                    "-fps_mode", "passthrough", *options, *SAME_BYTES, str(path)], check=True)
    if matrix:
        turned(path, matrix)
    times = frame_times(path)
    wrong = [n for n, time in enumerate(times[:-1]) if abs(float(time) - expected(n)) > 0.0011]
    assert not wrong, f"{path.name}: frame {wrong[0]} at {float(times[wrong[0]])}, expected {expected(wrong[0])}"
    return times
