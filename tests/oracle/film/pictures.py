"""Pictures that move through a shot: heads cut out of photos with soft edges, things in front of them, backgrounds."""
import functools
from dataclasses import dataclass

import cv2
import numpy as np

TORSO = 300  # rows below a photo into which its lower edge is continued


@dataclass
class Picture:
    levels: list  # BGR times alpha, and alpha, as BGRA; every level half as large as the one before
    box: tuple    # x, y, w, h in level 0: the face, or all of a thing

    @property
    def centre(self):
        x, y, w, h = self.box
        return x + w / 2, y + h / 2


def with_levels(bgr, alpha, box):
    """Premultiplied and halved until a face is about 20 pixels high: what is shown small is not aliased."""
    whole = np.dstack([bgr.astype(np.float32) * alpha[..., None], alpha * 255]).round().astype(np.uint8)
    levels = [whole]
    while box[3] / 2 ** len(levels) > 16:
        height, width = levels[-1].shape[:2]
        levels.append(cv2.resize(levels[-1], ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA))
    return Picture(levels, box)


def head_mask(shape, box):
    """1 on head, neck and shoulders of the face in this box, with soft edges, 0 elsewhere."""
    x, y, w, h = box
    cx, cy = x + w / 2, y + h / 2
    mask = np.zeros(shape[:2], np.float32)
    middle, axes = (round(cx), round(cy - 0.10 * h)), (round(0.76 * w), round(0.74 * h))
    cv2.ellipse(mask, middle, axes, 0, 0, 360, 1, -1, cv2.LINE_AA)
    right = [(0.36, 0.35), (0.42, 0.70), (1.0, 0.95), (1.2, 1.25), (1.3, 9)]
    outline = [(cx + dx * w, cy + dy * h) for dx, dy in right] + [(cx - dx * w, cy + dy * h) for dx, dy in right[::-1]]
    cv2.fillPoly(mask, [np.array(outline).clip(-999, 9999).round().astype(np.int32)], 1, cv2.LINE_AA)
    mask = cv2.GaussianBlur(mask, (0, 0), 0.06 * w)
    rows, columns = shape[:2]
    beside = np.minimum(np.arange(columns), columns - 1 - np.arange(columns)) / 12
    below = (rows - 1 - np.arange(rows)) / 60
    return mask * beside.clip(0, 1)[None, :] * below.clip(0, 1)[:, None]


def without_black_rim(photo):
    """LFW's funneled photos were turned, and are black where nothing was: continued from beside it."""
    _, parts = cv2.connectedComponents((photo.max(2) < 10).astype(np.uint8))
    rim = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    black = np.isin(parts, rim[rim > 0]).astype(np.uint8)
    return cv2.inpaint(photo, cv2.dilate(black, np.ones((5, 5), np.uint8)), 3, cv2.INPAINT_TELEA)


@functools.lru_cache(maxsize=64)
def read_head(path, box, mirrored):
    photo = cv2.imread(path)
    assert photo is not None, path
    tall = cv2.copyMakeBorder(without_black_rim(photo), 0, TORSO, 0, 0, cv2.BORDER_REPLICATE).astype(np.float32)
    rows = photo.shape[0]
    tall[rows - 4:] = cv2.GaussianBlur(tall, (0, 0), 10)[rows - 4:]
    alpha = head_mask(tall.shape, box)
    if mirrored:
        tall, alpha = tall[:, ::-1], alpha[:, ::-1]
        box = (photo.shape[1] - box[0] - box[2], *box[1:])
    return with_levels(tall, alpha, box)


def clouds(rng, height, width, cell):
    """Smooth noise in -1..1 whose details are about cell pixels large, of little colour."""
    shape = (height // cell + 3, width // cell + 3)
    small = (0.75 * rng.uniform(-1, 1, (*shape, 1)) + 0.25 * rng.uniform(-1, 1, (*shape, 3))).astype(np.float32)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def straight_things(rng, wall):
    """Windows, shelves, frames: rectangles in muted colours, some with a lighter edge."""
    height, width = wall.shape[:2]
    for _ in range(rng.integers(6, 22)):
        w, h = rng.integers(30, width // 4), rng.integers(30, height // 2)
        x, y = rng.integers(-w, width), rng.integers(-h, height)
        colour = tuple(float(c) for c in wall[height // 2, width // 2] + rng.uniform(-70, 70) + rng.uniform(-25, 25, 3))
        cv2.rectangle(wall, (int(x), int(y)), (int(x + w), int(y + h)), colour, -1, cv2.LINE_AA)
        if rng.random() < 0.5:
            cv2.rectangle(wall, (int(x), int(y)), (int(x + w), int(y + h)), tuple(c + 40 for c in colour), 3, cv2.LINE_AA)


def background(rng, height, width):
    """A place behind people: coloured light, straight things, grain, a little out of focus."""
    base = rng.uniform(50, 170) + rng.uniform(-35, 35, 3)
    wall = base + 25 * clouds(rng, height, width, height // 3) + np.zeros((height, width, 3), np.float32)
    wall = np.ascontiguousarray(wall, dtype=np.float32)
    straight_things(rng, wall)
    wall += 12 * clouds(rng, height, width, height // 24) + 6 * clouds(rng, height, width, 6)
    return cv2.GaussianBlur(wall, (0, 0), float(rng.uniform(0.8, 3.5))).clip(0, 255).astype(np.uint8)


def pillar(rng):
    """A thing out of focus that passes in front of people."""
    height, width = 900, int(rng.integers(90, 260))
    bgr = rng.uniform(20, 110) + rng.uniform(-15, 15, 3) + 20 * clouds(rng, height, width, 40)
    mask = np.zeros((height, width), np.float32)
    cv2.rectangle(mask, (24, 24), (width - 24, height - 24), 1, -1)
    return with_levels(bgr.clip(0, 255), cv2.GaussianBlur(mask, (0, 0), 7), (0, 0, width, height))
