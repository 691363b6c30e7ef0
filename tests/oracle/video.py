"""What the video oracles share: one vector per video, whose frames are the items `video/frame`."""
import numpy as np

from common import canonical, lines, unit


def add_options(p):
    p.add_argument("--aggregation", choices=("mean", "norm_weighted", "quality_weighted"), default="mean")
    p.add_argument("--quality", help="lines: item, quality")
    p.add_argument("--flip", action="store_true")


def stem(video):
    return video[:-4] if video.endswith(".mp4") else video


def videos_of(frames):
    """Names in the order in which the set has them, and the video of every frame. A name without a slash is a video."""
    names = [item.rsplit("/", 1)[0] for item in frames.items]
    return list(dict.fromkeys(names)), np.array(names)


def vectors(frames, a):
    """[V, D]: the LFR challenge's rule is every frame's unit vector, no flip, summed, unit length (`mean`)."""
    videos, video_of = videos_of(frames)
    f = frames.image_features(a.flip)
    if a.aggregation != "norm_weighted":
        f = unit(f)
    if a.aggregation == "quality_weighted":
        quality = dict(line.split("\t") for line in lines(a.quality))
        f = f * np.array([[float(quality[item])] for item in frames.items])
    return videos, canonical(np.array([f[video_of == video].sum(axis=0) for video in videos]))
