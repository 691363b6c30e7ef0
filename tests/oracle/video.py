"""What the video oracles share: templates of videos whose frames are the items `video/frame`."""
import numpy as np

from common import canonical, unit


def templates(frames, videos, expected=None):
    """[len(videos), D]: every frame's unit vector (no flip), summed, unit length."""
    f = unit(frames.features)
    video_of = np.array([item.rsplit("/", 1)[0] for item in frames.items])
    for k, video in enumerate(videos):
        found = (video_of == video).sum()
        assert found > 0 and (expected is None or found == expected[k]), video
    return canonical(np.array([f[video_of == video].sum(axis=0) for video in videos]))
