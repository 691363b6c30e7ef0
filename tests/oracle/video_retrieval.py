"""iQIYI-VID: mAP@100 of a submission, scored as the challenge did, whatever made it."""
import argparse

from common import emit, lines


def average_precision(submitted, truth):
    """Over all of the truth, even where it is longer than a submission may be."""
    hits, total = 0, 0.0
    for rank, video in enumerate(dict.fromkeys(submitted), 1):  # without repeats
        if rank <= 100 and video in truth:
            hits += 1
            total += hits / rank
    return total / len(truth)


p = argparse.ArgumentParser(description=__doc__)
p.add_argument("--name", required=True)
p.add_argument("--submission", required=True, help="lines: label video video …, best first")
p.add_argument("--truth", required=True, help="val_gt.txt, the same layout")
a = p.parse_args()
submission = {f[0]: f[1:] for f in (line.split() for line in lines(a.submission))}
truth = [line.split() for line in lines(a.truth)]
precisions = [average_precision(submission.get(f[0], []), set(f[1:])) for f in truth]
emit({a.name: {"numbers": {"map_at_100": sum(precisions) / len(precisions)}}})
