"""The same method where there are no clusters: one Gaussian of the same covariance, and shuffled columns."""

from dataclasses import dataclass

import numpy as np

from medunsup.clustering.choosing.fits import Floats, Make, Prepare, as_they_are, inertia, stability
from medunsup.clustering.subjects import Subjects, means

KINDS = ("gaussian", "shuffled")


@dataclass(frozen=True)
class NullComparison:
    """Clusters beside those of rows without any.

    Attributes
    ----------
    kind : str
        'gaussian' (one Gaussian of the same mean and covariance) or 'shuffled' (each column by itself).
    stability : tuple of float
        Agreement of two halves in each draw.
    tightness : tuple of float
        Share of the variance that clusters explain in each draw.
    stability_p, tightness_p : float
        Share of draws that reach the rows' own value, these counted among them.

    Examples
    --------
    >>> from medunsup.clustering import KMeans, choose_k
    >>> def make(k, seed):
    ...     return KMeans(n_clusters=k, n_init=1, seed=seed)
    >>> rows = [[0.0], [0.1], [0.2], [0.3]] * 4 + [[5.0], [5.1], [5.2], [5.3]] * 4
    >>> choice = choose_k(make, rows, ks=[2], with_curves=False)
    >>> [null.kind for null in choice.nulls]
    ['gaussian', 'shuffled']
    """

    kind: str
    stability: tuple[float, ...]
    tightness: tuple[float, ...]
    stability_p: float
    tightness_p: float

    @property
    def p(self) -> float:
        """Twice the smaller of both (Bonferroni), as there are two: in [0, 1]."""
        return min(1.0, 2 * min(self.stability_p, self.tightness_p))


def draw(kind: str, rows: Floats, generator: np.random.Generator, subjects: Subjects | None = None) -> Floats:
    """Draw rows (N, D) without clusters: of one Gaussian, or each column shuffled by itself.

    The covariance is shrunk where rows are few (Ledoit and Wolf 2004). Of subjects with several rows, their
    means are drawn so, and the deviations of their rows from these as well.
    """
    if subjects is not None:
        middles = means(rows, subjects)
        return draw(kind, middles, generator)[subjects] + _within(
            kind, rows - middles[subjects], subjects, generator
        )
    if kind == "shuffled":
        return generator.permuted(rows, axis=0)
    from sklearn.covariance import ledoit_wolf_shrinkage

    middle = rows.mean(axis=0)
    apart = rows - middle
    shrunk = float(ledoit_wolf_shrinkage(apart, assume_centered=True))
    spread = np.sqrt(shrunk * float((apart**2).mean()))
    same = generator.normal(size=(len(rows), len(rows))) @ apart / np.sqrt(len(rows))
    return middle + np.sqrt(1 - shrunk) * same + spread * generator.normal(size=rows.shape)


def _within(kind: str, apart: Floats, subjects: Subjects, generator: np.random.Generator) -> Floats:
    """Draw deviations (N, D) of rows from the means of their subjects."""
    n = np.bincount(subjects)[subjects]
    pool = apart[n > 1] / np.sqrt(1 - 1 / n[n > 1])[:, None]  # as wide as before a mean was taken off
    drawn = np.zeros_like(apart)
    if kind == "shuffled":
        drawn[n > 1] = generator.permuted(pool, axis=0)
    else:
        drawn[n > 1] = generator.normal(size=(len(pool), len(pool))) @ pool / np.sqrt(len(pool))
    return drawn - means(drawn, subjects)[subjects]


def compare(
    kind: str,
    make: Make,
    rows: Floats,
    k: int,
    *,
    draws: int,
    seed: int,
    generator: np.random.Generator,
    prepare: Prepare = as_they_are,
    like: Floats | None = None,
    subjects: Subjects | None = None,
) -> NullComparison:
    """Cluster draws without clusters as the rows (N, D) themselves, and compare stability and tightness.

    Draws are like the rows, or like others of them that hold no sites.
    """
    own = _figures(make, rows, k, 5, seed, generator, prepare, subjects)
    model = rows if like is None else like
    found = np.array(
        [
            _figures(make, draw(kind, model, generator, subjects), k, 1, seed, generator, prepare, subjects)
            for _ in range(draws)
        ]
    )
    stable, tight = ((1 + (found >= own).sum(axis=0)) / (1 + draws)).tolist()
    return NullComparison(kind, tuple(found[:, 0].tolist()), tuple(found[:, 1].tolist()), stable, tight)


def _figures(
    make: Make,
    rows: Floats,
    k: int,
    halvings: int,
    seed: int,
    generator: np.random.Generator,
    prepare: Prepare,
    subjects: Subjects | None,
) -> tuple[float, float]:
    ready = prepare(rows, np.arange(len(rows)))
    labels = make(k, seed).fit(ready).labels_
    squares = ((ready - ready.mean(axis=0)) ** 2).sum(axis=1)
    left = inertia(ready, labels) + float(squares[labels < 0].sum())  # noise is not explained
    explained = 1 - left / float(squares.sum()) if squares.any() else 0.0
    stable = stability(
        make, rows, k, halvings=halvings, generator=generator, prepare=prepare, subjects=subjects
    )
    return stable, explained
