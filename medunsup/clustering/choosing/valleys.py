"""Whether clusters are apart: between each two, rows that were not fitted must have a valley.

Any clustering method cuts a cloud into parts, and parts of one cloud touch: along a line through both rows
have one peak. The line is Fisher's discriminant of the two, which looks past what features have in common
within clusters; their covariance is shrunk (Ledoit and Wolf 2004). Of rows that the line was fitted on a
valley cannot be told where features are many, since the line was chosen to part them. So clusters and line
come from four fifths of the rows and the last fifth is laid on the line, five times, and the dip test
(Hartigan and Hartigan 1985; used between clusters by Kalogeratos and Likas, Dip-means, NeurIPS 2012) is made
of all of them together.
"""

from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment

from medunsup.clustering.choosing.dip import dip_p
from medunsup.clustering.choosing.fits import Floats, Labels, Make, Prepare, as_they_are
from medunsup.clustering.subjects import Subjects, folds, one_each

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
    subjects: Subjects | None = None,
) -> float:
    """Return p of the two clusters of K that are least apart: small if a valley parts each two.

    The mean over two partitions into fifths of the largest p among pairs. Of a pair, the smaller cluster is
    looked at, and as many rows of the larger one, those nearest to it: what has one peak has one peak in any
    interval, and a small cluster beside a large one is more than a bump on its flank. Of a subject with
    several rows, all are in one fold and one, drawn by chance, is looked at.
    """
    whole = make(k, seed).fit(prepare(rows, np.arange(len(rows))))
    if whole.n_clusters_ < k:
        return 1.0
    return float(
        np.mean(
            [_once(make, rows, whole.labels_, k, seed, generator, prepare, subjects) for _ in range(REPEATS)]
        )
    )


def _once(
    make: Make,
    rows: Floats,
    whole: Labels,
    k: int,
    seed: int,
    generator: np.random.Generator,
    prepare: Prepare,
    subjects: Subjects | None,
) -> float:
    fold = folds(len(rows), subjects, FOLDS, generator)
    is_asked = one_each(len(rows), subjects, generator)
    places: Places = {pair: [] for pair in combinations(range(k), 2)}
    for held in range(FOLDS):
        ready = prepare(rows, np.flatnonzero(fold != held))
        fitted, new = ready[fold != held], ready[(fold == held) & is_asked]
        model = make(k, seed).fit(fitted)
        if model.n_clusters_ < k:
            return 1.0
        names = _names(model.labels_, whole[fold != held], k)
        lines = Discriminants(fitted, _renamed(model.labels_, names), k)
        found = _renamed(model.predict(new), names)
        for pair in places:
            places[pair].append(lines.parted(new[np.isin(found, pair)], pair))
    return max(dip_p(_window(*map(np.concatenate, zip(*parts, strict=True)))) for parts in places.values())


def _names(labels: Labels, whole: Labels, k: int) -> Labels:
    """Return for each cluster of a part the one of the whole that it shares most rows with, each once."""
    table = np.zeros((k, k))
    is_in = (labels >= 0) & (whole >= 0)
    np.add.at(table, (labels[is_in], whole[is_in]), 1)
    return np.asarray(linear_sum_assignment(table, maximize=True)[1])


def _renamed(labels: Labels, names: Labels) -> Labels:
    """Return labels by their new names; noise (-1) stays."""
    return np.where(labels >= 0, names[labels], -1)


class Discriminants:
    """Fisher's discriminant of each two of K clusters, of the covariance that all have within."""

    def __init__(self, rows: Floats, labels: Labels, k: int) -> None:
        from sklearn.covariance import ledoit_wolf

        self.centres = np.stack([rows[labels == one].mean(axis=0) for one in range(k)])
        apart = rows[labels >= 0] - self.centres[labels[labels >= 0]]
        self.covariance, _ = ledoit_wolf(apart, assume_centered=True)

    def parted(self, rows: Floats, pair: tuple[int, int]) -> tuple[Floats, Floats]:
        """Return where rows (N, D) lie on the line, those before and those behind the middle of the two."""
        first, second = self.centres[list(pair)]
        line = np.linalg.lstsq(self.covariance, second - first, rcond=None)[0]
        length = max(float((second - first) @ line), np.finfo(float).tiny)
        place = (rows - (first + second) / 2) @ line / length
        return place[place < 0], place[place >= 0]


def _window(lower: Floats, upper: Floats) -> Floats:
    """Return as many places of both, those of the larger one that are nearest to the other."""
    n = min(len(lower), len(upper))
    return np.concatenate([np.sort(lower)[len(lower) - n :], np.sort(upper)[:n]])
