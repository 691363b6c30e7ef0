"""What the IJB oracles share: the lists of meta/, and templates."""
import csv

import numpy as np

from common import canonical, lines, unit


class Meta:
    def __init__(self, folder, benchmark):
        self.prefix = f"{folder}/{benchmark}_"
        self.galleries = ("G1", "G2") if benchmark == "ijbc" else ("S1", "S2")
        images = [line.split() for line in lines(self.prefix + "face_tid_mid.txt")]
        self.image = [f[0] for f in images]
        self.template, self.media = (np.array([int(f[k]) for f in images]) for k in (1, 2))
        points = [line.split() for line in lines(self.prefix + "name_5pts_score.txt")]
        assert [f[0] for f in points] == self.image
        self.detector_score = np.array([float(f[11]) for f in points])

    def pairs(self):
        return np.array([[int(x) for x in line.split()] for line in lines(self.prefix + "template_pair_label.txt")])

    def subjects(self, name):
        """{template: subject}; a template stands once per image."""
        with open(f"{self.prefix}1N_{name}.csv", newline="") as file:
            return {int(row[0]): int(row[1]) for row in list(csv.reader(file))[1:]}

    def gallery(self, k):
        return self.subjects(f"gallery_{self.galleries[k]}")

    def templates(self, images, flip=True, keep_norm=True, detector_score=True):
        """{template: vector}: mean over each medium's images, sum over media, unit length."""
        f = images.image_features(flip)[[images.rows()[name] for name in self.image]]
        f = f if keep_norm else unit(f)
        f = f * self.detector_score[:, None] if detector_score else f
        result = {}
        for t in np.unique(self.template):
            of_t = self.template == t
            media = [f[of_t & (self.media == m)].mean(axis=0) for m in np.unique(self.media[of_t])]
            result[t] = canonical(np.sum(media, axis=0))
        return result
