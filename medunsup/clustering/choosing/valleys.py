"""Whether clusters are apart: between each two, rows that were not fitted must have a valley.

Any clustering method cuts a cloud into parts, and parts of one cloud touch: along the line between their
centres rows have one peak. Of rows that the centres were fitted on this cannot be told where features are
many, since the line was chosen to part them. So centres come from four fifths of the rows and the last fifth
is laid on their line, five times, and the dip test (Hartigan and Hartigan 1985; used between clusters by
Kalogeratos and Likas, Dip-means, NeurIPS 2012) is made of all of them together.
"""

from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment

from medunsup.clustering.choosing.dip import dip_p
from medunsup.clustering.choosing.fits import Floats, Labels, Make, Prepare, as_they_are

FOLDS = 5
REPEATS = 2

Places = dict[tuple[int, int], list[tuple[Floats, Floats]]]


def valley_p(
    make: Make,
    rows: Floats,
    k: int,
    *,
    seed: int,
    generator: np.random.Generator,
    prepare: Prepare = as_they_are,
) -> float:
    """Return p of the two clusters of K that are least apart: small if a valley parts each two.

    The mean over two partitions into fifths of the largest p among pairs. Of a pair, the smaller cluster is
    looked at, and as many rows of the larger one, those nearest to it: what has one peak has one peak in any
    interval, and a small cluster beside a large one is more than a bump on its flank.
    """
    whole = make(k, seed).fit(prepare(rows, np.arange(len(rows))))
    if whole.n_clusters_ < k:
        return 1.0
    return float(
        np.mean([_once(make, rows, whole.labels_, k, seed, generator, prepare) for _ in range(REPEATS)])
    )


def _once(
    make: Make,
    rows: Floats,
    whole: Labels,
    k: int,
    seed: int,
    generator: np.random.Generator,
    prepare: Prepare,
) -> float:
    fold = generator.permutation(len(rows)) % FOLDS
    places: Places = {pair: [] for pair in combinations(range(k), 2)}
    for held in range(FOLDS):
        ready = prepare(rows, np.flatnonzero(fold != held))
        fitted, new = ready[fold != held], ready[fold == held]
        model = make(k, seed).fit(fitted)
        if model.n_clusters_ < k:
            return 1.0
        names = _names(model.labels_, whole[fold != held], k)
        centres = np.stack(
            [fitted[model.labels_ == np.flatnonzero(names == one)[0]].mean(axis=0) for one in range(k)]
        )
        found = model.predict(new)
        labels = np.where(found >= 0, names[found], -1)
        for pair in places:
            places[pair].append(_on_the_line(new, labels, centres, pair))
    return max(dip_p(_window(*map(np.concatenate, zip(*parts, strict=True)))) for parts in places.values())


def _names(labels: Labels, whole: Labels, k: int) -> Labels:
    """Return for each cluster of a part the one of the whole that it shares most rows with, each once."""
    table = np.zeros((k, k))
    is_in = (labels >= 0) & (whole >= 0)
    np.add.at(table, (labels[is_in], whole[is_in]), 1)
    return np.asarray(linear_sum_assignment(table, maximize=True)[1])


def _on_the_line(
    new: Floats, labels: Labels, centres: Floats, pair: tuple[int, int]
) -> tuple[Floats, Floats]:
    """Return where rows of the first and of the second cluster lie on the line, its length being 1."""
    first, second = centres[list(pair)]
    line = (second - first) / max(float(((second - first) ** 2).sum()), np.finfo(float).tiny)
    place = (new - (first + second) / 2) @ line
    return place[labels == pair[0]], place[labels == pair[1]]


def _window(lower: Floats, upper: Floats) -> Floats:
    """Return as many places of both, those of the larger one that are nearest to the other."""
    n = min(len(lower), len(upper))
    return np.concatenate([np.sort(lower)[len(lower) - n :], np.sort(upper)[:n]])
