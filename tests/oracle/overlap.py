"""uir-index overlap against NumPy: overlap.py RUN THRESHOLD AGAINST_THRESHOLD DUPLICATES (further set: test)."""
import csv
import json
import sys

import numpy as np

run = sys.argv[1]
threshold, against_threshold, duplicates = map(float, sys.argv[2:])


def unit(name):
    folder = f'{run}/embeddings/{name}/'
    values = np.load(folder + 'embeddings.npy').astype(np.float64)
    try:
        values = values + np.load(folder + 'embeddings_mirrored.npy').astype(np.float64)
    except FileNotFoundError:
        pass
    values /= np.sqrt((values ** 2).sum(axis=1, keepdims=True))
    rows = [line.rstrip('\n').split('\t') for line in open(folder + 'items.tsv')]
    return values.astype(np.float32).astype(np.float64), [row[0] for row in rows], np.array([int(row[1]) for row in rows])


web, items, _ = unit('web')
centers, classes, _ = unit('class_centers')
test, test_items, _ = unit('test')
held_out, _, labels = unit('faces.held_out')
result = json.load(open(f'{run}/overlap/overlap.json'))['sets'][0]


def histogram(cosines):
    return np.bincount(np.clip(np.floor((cosines + 1) / 2 * 40).astype(int), 0, 39), minlength=40).tolist()


to_centers, to_test = web @ centers.T, web @ test.T
scores = held_out @ centers.T
own = scores[np.arange(len(labels)), labels]
scores[np.arange(len(labels)), labels] = -2
other = scores.max(axis=1)
assert result['labeled_images'] == len(labels)
for name, cosines, names in [('class_centers', to_centers, classes), ('test', to_test, test_items)]:
    target, best = result['targets'][name], cosines.max(axis=1)
    assert target['histogram'] == histogram(best)
    for row in target['thresholds']:
        t = row['threshold']
        assert row['removed'] == (best >= t).sum(), row
        if name == 'class_centers':
            assert row['caught'] == (own >= t).mean() and row['wrong'] == (other >= t).mean(), row
    assert len(target['closest']) == 50
    for match, expected in zip(target['closest'], np.sort(best)[::-1]):
        i = items.index(match['item'])
        assert abs(match['cosine'] - best[i]) < 1e-12 and abs(match['cosine'] - expected) < 1e-12
        assert match['match'] == names[cosines[i].argmax()], match

first = np.arange(len(web))  # of each group, by spreading the smallest number until nothing changes
near = web @ web.T >= duplicates
while True:
    spread = np.array([min(first[near[i]].min(), first[i]) for i in range(len(web))])
    if (spread == first).all():
        break
    first = spread
sizes = np.bincount(first, minlength=len(web))
counts = result['near_duplicates']
assert counts['groups'] == (sizes > 1).sum() and counts['images'] == sizes[sizes > 1].sum(), counts
assert counts['largest_group'] == sizes.max()

gone = {row[0]: row[1] for row in csv.reader(open(f'{run}/overlap/excluded_web.tsv'), delimiter='\t')}
expected = {items[i] for i in range(len(web)) if to_centers[i].max() >= threshold or to_test[i].max() >= against_threshold or first[i] != i}
assert set(gone) == expected
planted = [item for item in items if item.startswith('planted')]
found = sum(item in gone for item in planted)
strangers = [item for item in items if not item.startswith('planted')]
removed = sum(item in gone and gone[item] == 'class_centers' for item in strangers)
print(f'{found} of {len(planted)} planted images are removed, and {removed} of {len(strangers)} strangers by a class center')
