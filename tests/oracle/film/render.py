"""Draws the shots of a script frame by frame, and says of every face where it is and how much of it can be seen."""
import functools
from dataclasses import dataclass

import cv2
import numpy as np

from .pictures import background, pillar, read_head

GRID = (np.arange(16) + 0.5) / 16  # points of a face's box at which it is asked what covers it


@dataclass
class Face:
    shot: int
    part: int
    person: object
    box: tuple       # x1, y1, x2, y2 in pixels, also outside the picture
    seen: np.ndarray  # [16, 16] shares of light that reach the camera; 0 outside the picture
    opacity: float = 1.0

    def visible(self):
        return self.seen.mean() >= 0.5 and self.opacity >= 0.5


@functools.lru_cache(maxsize=6)
def read_background(seed, height, width):
    return background(np.random.default_rng(seed), height, width)


@functools.lru_cache(maxsize=4)
def read_pillar(seed):
    return pillar(np.random.default_rng(seed))


class Painter:
    def __init__(self, shots, width, height):
        self.shots, self.width, self.height = shots, width, height

    def scenery(self, shot, at):
        place = read_background(shot.place, self.height, self.width)
        zoom, x, y = (a + (b - a) * at for a, b in zip(*shot.camera))
        if zoom == 1:
            return place.copy()
        free = 1 - 1 / zoom
        move = np.float32([[zoom, 0, -zoom * free * x * self.width], [0, zoom, -zoom * free * y * self.height]])
        return cv2.warpAffine(place, move, (self.width, self.height), borderMode=cv2.BORDER_REPLICATE)

    def picture(self, part):
        if part.person is None:
            return read_pillar(part.thing_seed)
        return read_head(str(part.photo.path), part.photo.box, part.mirrored)

    def placed(self, picture, x, y, height, turn):
        """The level to draw, its 2x3 map to the frame, and the face's box in the frame."""
        size = height * self.height / 720 / picture.box[3]
        level = max((k for k in range(len(picture.levels)) if size * 2 ** k <= 1), default=0)
        angle, factor = np.deg2rad(turn), size * 2 ** level
        c, s = factor * np.cos(angle), factor * np.sin(angle)
        cx, cy = (value / 2 ** level for value in picture.centre)
        x, y = x * self.width, y * self.height
        w, h = picture.box[2] * size / 2, picture.box[3] * size / 2
        return picture.levels[level], np.array([[c, -s, x - c * cx + s * cy], [s, c, y - s * cx - c * cy]]), \
            (x - w, y - h, x + w, y + h)

    def region(self, level, move):
        """x1, y1, x2, y2 of the part of the frame that a picture reaches."""
        h, w = level.shape[:2]
        corners = move @ np.array([[0, w, 0, w], [0, 0, h, h], [1, 1, 1, 1]])
        (x1, y1), (x2, y2) = np.floor(corners.min(1)), np.ceil(corners.max(1))
        return max(int(x1), 0), max(int(y1), 0), min(int(x2), self.width), min(int(y2), self.height)

    def paint(self, frame, part, at, seconds):
        """Draws a part; returns its face's box, the region it reaches and how opaque it is there (None: outside)."""
        level, move, box = self.placed(self.picture(part), *part.place(at, seconds))
        x1, y1, x2, y2 = region = self.region(level, move)
        if x1 >= x2 or y1 >= y2:
            return box, region, None
        move[:, 2] -= x1, y1
        patch = cv2.warpAffine(level, move, (x2 - x1, y2 - y1))
        if part.blur:
            patch = cv2.GaussianBlur(patch, (0, 0), part.blur * self.height / 720)
        alpha = patch[..., 3]
        light = part.gain[0] + (part.gain[1] - part.gain[0]) * at
        lit = cv2.convertScaleAbs(cv2.cvtColor(patch, cv2.COLOR_BGRA2BGR), alpha=light)
        under = cv2.multiply(frame[y1:y2, x1:x2], cv2.cvtColor(255 - alpha, cv2.COLOR_GRAY2BGR), scale=1 / 255)
        frame[y1:y2, x1:x2] = cv2.add(under, lit)
        return box, region, alpha

    def points(self, box):
        x1, y1, x2, y2 = box
        return np.floor(x1 + (x2 - x1) * GRID).astype(int), np.floor(y1 + (y2 - y1) * GRID).astype(int)

    def in_frame(self, box):
        xs, ys = self.points(box)
        return np.outer((ys >= 0) & (ys < self.height), (xs >= 0) & (xs < self.width)).astype(float)

    def cover(self, face, region, alpha):
        """What is painted later hides what lies below."""
        xs, ys = self.points(face.box)
        x1, y1, x2, y2 = region
        for row, y in enumerate(ys):
            if y1 <= y < y2:
                inside = (xs >= x1) & (xs < x2)
                face.seen[row, inside] *= 1 - alpha[y - y1, xs[inside] - x1] / 255

    def frame(self, number, i):
        """Frame i of a shot, and its faces from the farthest to the nearest."""
        shot = self.shots[number]
        at, seconds = i / max(shot.frames - 1, 1), i / 25
        frame, faces = self.scenery(shot, at), []
        for k, part in enumerate(shot.parts):
            box, region, alpha = self.paint(frame, part, at, seconds)
            if alpha is not None:
                for face in faces:
                    self.cover(face, region, alpha)
            if part.person is not None:
                faces.append(Face(number, k, part.person, box, self.in_frame(box)))
        light = shot.gain[0] + (shot.gain[1] - shot.gain[0]) * at
        return (frame if light == 1 else cv2.convertScaleAbs(frame, alpha=light)), faces

    def frames(self):
        """(frame, faces) of the film; while shots dissolve the faces of both, with their opacity."""
        for number, shot in enumerate(self.shots):
            after = self.shots[number + 1].dissolve if number + 1 < len(self.shots) else 0
            for i in range(shot.dissolve):
                yield self.dissolved(number, i, (i + 1) / (shot.dissolve + 1))
            for i in range(shot.dissolve, shot.frames - after):
                yield self.frame(number, i)

    def dissolved(self, number, i, share):
        before = self.shots[number - 1]
        old, old_faces = self.frame(number - 1, before.frames - self.shots[number].dissolve + i)
        new, new_faces = self.frame(number, i)
        for faces, opacity in ((old_faces, 1 - share), (new_faces, share)):
            for face in faces:
                face.opacity = opacity
        return cv2.addWeighted(old, 1 - share, new, share, 0), old_faces + new_faces
