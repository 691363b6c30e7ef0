"""iQIYI-VID: every identity's videos by similarity, mAP@100 as the challenge scored it, and the submission file."""
import numpy as np

from common import canonical, emit, lines, parser, scores
from video import add_options, stem, vectors


def average_precision(submitted, truth):
    """Over all of the truth, even where it is longer than a submission may be."""
    hits, total = 0, 0.0
    for rank, video in enumerate(list(dict.fromkeys(submitted))[:100], 1):  # without repeats
        if video in truth:
            hits += 1
            total += hits / rank
    return total / len(truth)


def rank(videos, v, gallery):
    """{identity: the best 100 videos outside the gallery}; an identity is the mean of its videos' unit vectors."""
    row = {stem(video): k for k, video in enumerate(videos)}
    named = {stem(video): int(label) for video, label in gallery}
    free = np.array([k for k, video in enumerate(videos) if stem(video) not in named])
    result = {}
    for label in sorted(set(named.values())):
        center = canonical(v[[row[video] for video, l in named.items() if l == label]].sum(axis=0))
        order = np.argsort(-scores(center[None], v[free])[0], kind="stable")  # ties by row
        result[label] = [stem(videos[free[k]]) for k in order[:100]]
    return result


p = parser(__doc__)
p.add_argument("--gallery", required=True, help="train_gt.txt: video, identity")
p.add_argument("--truth", required=True, help="val_gt.txt: identity, its videos")
p.add_argument("--submission", required=True, help="what uir-eval wrote: identity, videos, best first")
add_options(p)
a = p.parse_args()
ranked = rank(*vectors(a.set, a), [line.split() for line in lines(a.gallery)])
written = {int(f[0]): [stem(video) for video in f[1:]] for f in (line.split() for line in lines(a.submission))}
assert written == ranked, [(label, written.get(label), ranked[label]) for label in ranked
                           if ranked[label] != written.get(label)][:1]
truth = [(int(f[0]), {stem(video) for video in f[1:]}) for f in (line.split() for line in lines(a.truth))]
precisions = [average_precision(ranked.get(label, []), videos) for label, videos in truth]
counts = {"identities": len(truth), "relevant_videos": sum(len(videos) for _, videos in truth),
          "submitted_identities": len(ranked), "missing_identities": sum(label not in ranked for label, _ in truth)}
emit({a.name: {"counts": counts, "numbers": {"map_at_100": sum(precisions) / len(precisions)}}})
