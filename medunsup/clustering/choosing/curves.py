"""What other criteria say of each K, and what each would choose: shown beside the choice, not deciding it."""

from dataclasses import dataclass

import numpy as np

from medunsup.clustering.choosing.fits import Floats, Make, Prepare, as_they_are, inertia, stability
from medunsup.clustering.methods.bayesian_gmm import BayesianGMM
from medunsup.clustering.methods.gmm import GMM
from medunsup.clustering.subjects import Subjects, one_each
from medunsup.metrics.clustering import silhouette

HALVINGS = 5
REFERENCES = 5  # draws of the gap statistic
TINY = np.finfo(float).tiny
LEAST_WEIGHT = 0.02


@dataclass(frozen=True)
class Curves:
    """Values of each criterion for each K; NaN where it has none.

    Attributes
    ----------
    inertia : tuple of float
        Sum of squared distances to the clusters' means.
    silhouette : tuple of float
        Mean silhouette, in [-1, 1] (Rousseeuw 1987); NaN for K = 1.
    bic, aic : tuple of float
        Of a mixture of Gaussians with diagonal covariances (Schwarz 1978, Akaike 1974); less is better.
    gap, gap_error : tuple of float
        Gap statistic and its standard error (Tibshirani, Walther and Hastie 2001).
    stability : tuple of float
        Agreement of clusterings of halves, as adjusted Rand index.
    dirichlet_weights : tuple of float
        Weights of a Dirichlet-process mixture with as many Gaussians as the largest K, largest first.

    Examples
    --------
    >>> from medunsup.clustering import KMeans, choose_k
    >>> def make(k, seed):
    ...     return KMeans(n_clusters=k, n_init=1, seed=seed)
    >>> rows = [[0.0], [0.1], [0.2], [0.3]] * 4 + [[5.0], [5.1], [5.2], [5.3]] * 4
    >>> choice = choose_k(make, rows, ks=[2])
    >>> len(choice.curves.silhouette)
    2
    """

    inertia: tuple[float, ...]
    silhouette: tuple[float, ...]
    bic: tuple[float, ...]
    aic: tuple[float, ...]
    gap: tuple[float, ...]
    gap_error: tuple[float, ...]
    stability: tuple[float, ...]
    dirichlet_weights: tuple[float, ...]


def curves(
    make: Make,
    given: Floats,
    ks: tuple[int, ...],
    *,
    seed: int,
    generator: np.random.Generator,
    prepare: Prepare = as_they_are,
    subjects: Subjects | None = None,
) -> Curves:
    """Measure each K on rows (N, D).

    Where subjects have several rows, one of each, drawn by chance, is measured on, but for the stability.
    """
    rows = prepare(given, np.arange(len(given)))[one_each(len(given), subjects, np.random.default_rng(seed))]
    labels = [make(k, seed).fit(rows).labels_ for k in ks]
    mixtures = [GMM(n_clusters=k, seed=seed).fit(rows) for k in ks]
    references = _references(rows, generator)
    gaps = [_gap(make, rows, references, k, seed) for k in ks]
    process = BayesianGMM(n_clusters=ks[-1], seed=seed).fit(rows)
    return Curves(
        inertia=tuple(inertia(rows, each) for each in labels),
        silhouette=tuple(silhouette(rows, each) for each in labels),
        bic=tuple(each.bic(rows) for each in mixtures),
        aic=tuple(each.aic(rows) for each in mixtures),
        gap=tuple(gap for gap, _ in gaps),
        gap_error=tuple(error for _, error in gaps),
        stability=tuple(
            stability(
                make,
                given,
                k,
                halvings=HALVINGS,
                generator=generator,
                prepare=prepare,
                subjects=subjects,
            )
            for k in ks
        ),
        dirichlet_weights=tuple(sorted(process.weights_.tolist(), reverse=True)),
    )


def proposals(found: Curves, ks: tuple[int, ...]) -> dict[str, int]:
    """Return the K that each criterion would choose by its own rule."""
    chosen = {
        "elbow": ks[_elbow(np.array(found.inertia), np.array(ks))],
        "bic": ks[int(np.argmin(found.bic))],
        "aic": ks[int(np.argmin(found.aic))],
        "gap": _first_gap(found, ks),
        "dirichlet": sum(weight >= LEAST_WEIGHT for weight in found.dirichlet_weights),
    }
    if np.isfinite(found.silhouette).any():
        chosen["silhouette"] = ks[int(np.nanargmax(found.silhouette))]
    several = [(value, k) for value, k in zip(found.stability, ks, strict=True) if k > 1]
    if several:
        chosen["stability"] = max(several)[1]
    return chosen


def _references(rows: Floats, generator: np.random.Generator) -> list[Floats]:
    """Draw even rows in the box of the rows' principal axes."""
    middle = rows.mean(axis=0)
    axes = np.linalg.svd(rows - middle, full_matrices=False)[2]
    turned = (rows - middle) @ axes.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    return [generator.uniform(low, high, turned.shape) @ axes + middle for _ in range(REFERENCES)]


def _gap(make: Make, rows: Floats, references: list[Floats], k: int, seed: int) -> tuple[float, float]:
    def log_inertia(given: Floats) -> float:
        return float(np.log(max(inertia(given, make(k, seed).fit(given).labels_), TINY)))

    others = np.array([log_inertia(each) for each in references])
    error = float(others.std() * np.sqrt(1 + 1 / len(others)))
    return float(others.mean()) - log_inertia(rows), error


def _first_gap(found: Curves, ks: tuple[int, ...]) -> int:
    """Return the least K whose gap is not a standard error below that of the next."""
    for place in range(len(ks) - 1):
        if found.gap[place] >= found.gap[place + 1] - found.gap_error[place + 1]:
            return ks[place]
    return ks[-1]


def _elbow(values: Floats, ks: Floats) -> int:
    """Return the place farthest below the line between the curve's ends (Satopaa et al. 2011)."""
    if len(ks) < 3 or values[0] <= values[-1]:
        return 0
    along = (ks - ks[0]) / (ks[-1] - ks[0])
    return int(np.argmax(1 - along - (values - values[-1]) / (values[0] - values[-1])))
