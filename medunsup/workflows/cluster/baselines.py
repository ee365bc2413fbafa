"""Other methods on the same rows, with the same seeds and number of clusters."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medunsup.clustering.base import Labels
from medunsup.clustering.methods.gmm import GMM
from medunsup.clustering.methods.kmeans import KMeans
from medunsup.clustering.preparation import Preparation
from medunsup.cohort.clusters.parts import Baseline, OverSeeds, Stability
from medunsup.core.errors import DependencyError
from medunsup.metrics.bootstrap import compare
from medunsup.metrics.resampled import compare_resampled
from medunsup.workflows.cluster.method import Maker
from medunsup.workflows.cluster.number import Compared, agreements_of
from medunsup.workflows.cluster.seeds import figures, over_halves

AXES = 20
ROWS_AN_AXIS = 5  # and a cluster: fewer do not tell a full covariance
MEASURED_BY_TRUTH = ("accuracy", "nmi", "ari")

Floats = NDArray[np.float64]
Figures = dict[str, OverSeeds]


def baselines(
    maker: Maker,
    rows: Floats,
    k: int,
    seeds: Sequence[int],
    own: Figures,
    stability: Stability,
    compared: Compared,
    truth: Sequence[str],
) -> tuple[tuple[Baseline, ...], tuple[str, ...]]:
    """Fit the baselines of a method; return them, and what should be known of them.

    "better" and "worse" are said of known classes, by the interval of the difference over seeds; without
    known classes stability is compared, over the same halves, whose overlap widens the interval.
    """
    if k < 2:
        return (), ()
    remarks: tuple[str, ...] = ()
    found: dict[str, list[Labels]] = {}
    if maker.is_deep:
        found["pca + gmm"] = _on_pca(rows, k, seeds)
        try:
            found["umap + gmm"] = _on_umap(rows, k, seeds)
        except DependencyError as error:
            remarks = (f"The baseline umap + gmm is left out: {error}",)
    else:
        name, cls = ("gmm", GMM) if maker.name == "kmeans" else ("kmeans", KMeans)
        found[name] = [cls(n_clusters=k, seed=seed).fit(rows).labels_ for seed in seeds]
    made = []
    for name, labels in found.items():
        measured = dict(figures(labels, rows, k, truth))
        comparisons = {
            each: compare(own[each].values, measured[each].values)
            for each in MEASURED_BY_TRUTH
            if each in measured and _vary(own[each].values, measured[each].values)
        }
        if not maker.is_deep and stability.halves is not None:
            measured["stability"] = over_halves(_halves(name, k, seeds[0], compared))
            if not any(each in measured for each in MEASURED_BY_TRUTH):
                comparisons["stability"] = compare_resampled(
                    stability.halves.values, measured["stability"].values
                )
        made.append(Baseline(name, measured, comparisons))
    return tuple(made), remarks


def _vary(own: Sequence[float], other: Sequence[float]) -> bool:
    """Return whether seeds change the difference; else an interval over them has no width."""
    return len(own) < 2 or float(np.ptp(np.subtract(own, other))) > 0


def _halves(name: str, k: int, seed: int, compared: Compared) -> list[float]:
    cls = GMM if name == "gmm" else KMeans
    return agreements_of(lambda n, s: cls(n_clusters=n, seed=s), compared, k, seed)


def _on_pca(rows: Floats, k: int, seeds: Sequence[int]) -> list[Labels]:
    axes = min(AXES, rows.shape[1], len(rows) - 1)
    places = Preparation(components=axes).fit(rows).transform(rows)
    return [_gmm(places, k, seed).labels_ for seed in seeds]


def _on_umap(rows: Floats, k: int, seeds: Sequence[int]) -> list[Labels]:
    from medunsup.reduction.methods.umap import UMAP

    return [
        _gmm(
            UMAP(n_components=2, seed=seed).fit(rows[:, np.ptp(rows, axis=0) > 0]).embedding_, k, seed
        ).labels_
        for seed in seeds
    ]


def _gmm(rows: Floats, k: int, seed: int) -> GMM:
    shape = "full" if len(rows) >= ROWS_AN_AXIS * k * rows.shape[1] else "diag"
    return GMM(n_clusters=k, covariance_type=shape, seed=seed).fit(rows)  # type: ignore[arg-type]
