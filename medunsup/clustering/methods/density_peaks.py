"""Peaks of density, and what lies on their slopes."""

import numpy as np
from pydantic import Field
from scipy.spatial.distance import pdist, squareform

from medunsup.clustering.base import ClusteringConfig, Floats, Labels
from medunsup.clustering.by_neighbours import ByNeighbours
from medunsup.core.registry import register

MOST_PEAKS = 20  # looked at where the number is not given


class DensityPeaksConfig(ClusteringConfig):
    """Parameters of density peaks."""

    n_clusters: int | None = Field(
        None, ge=1, description="clusters to find; as many as stand out if not given"
    )
    neighbours: float = Field(
        0.02, gt=0, lt=1, description="share of all pairs of rows that are nearer than the cut-off distance"
    )


@register(
    "density_peaks",
    family="density",
    dims=(2, 3),
    paper="Rodriguez and Laio (2014), Clustering by fast search and find of density peaks. Science.",
    limit="A cluster of even density has several peaks; without n_clusters the number is a guess from one "
    "gap; memory grows with the square of the rows.",
)
class DensityPeaks(ByNeighbours):
    """Rows of high density far from any of higher density are centres; others follow their denser neighbour.

    Density counts neighbours softly, by a Gaussian of the cut-off distance. Without `n_clusters`, centres are
    the rows above the largest gap in density times distance, on a logarithmic scale, among the 20 highest.
    New rows are assigned by the 5 nearest fitted rows. There is nothing random in it.

    Examples
    --------
    >>> from medunsup.clustering import DensityPeaks
    >>> rows = [[0.0], [0.1], [0.2], [0.1], [0.2], [0.0], [5.0], [5.1], [5.2], [5.1], [5.0]]
    >>> method = DensityPeaks(n_clusters=2, neighbours=0.2).fit(rows)
    >>> method.labels_.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    >>> method.predict([[0.3], [4.9]]).tolist()
    [0, 1]
    """

    Config = DensityPeaksConfig

    def __init__(self, *, n_clusters: int | None = None, neighbours: float = 0.02, seed: int = 0) -> None:
        self.n_clusters = n_clusters
        self.neighbours = neighbours
        self.seed = seed

    def _labels(self, rows: Floats, n_clusters: int, config: DensityPeaksConfig) -> Labels:
        pairs = pdist(rows)
        if not pairs.any():
            self._remark("All rows are equal: they are one cluster.")
            return np.zeros(len(rows), np.int64)
        cut_off = np.quantile(pairs, config.neighbours) or pairs[pairs > 0].min()
        distances = squareform(pairs)
        density = np.exp(-((distances / cut_off) ** 2)).sum(axis=1)
        order = np.argsort(-density, kind="stable")
        parent, apart = _denser_neighbours(distances, order)
        strength = density * apart
        by_strength = np.argsort(-strength, kind="stable")
        wanted = n_clusters if config.n_clusters else _standing_out(strength[by_strength])
        labels = np.full(len(rows), -1)
        labels[by_strength[:wanted]] = np.arange(wanted)
        for row in order:  # from dense to sparse: whom a row follows is labelled already
            if labels[row] < 0:
                labels[row] = labels[parent[row]]
        return labels


def _denser_neighbours(distances: Floats, order: Labels) -> tuple[Labels, Floats]:
    """Return for each row the nearest one before it in `order`, and how far; the first has the furthest."""
    parent, apart = np.zeros(len(order), np.int64), np.zeros(len(order))
    parent[order[0]], apart[order[0]] = order[0], distances[order[0]].max()
    for place in range(1, len(order)):
        row, denser = order[place], order[:place]
        nearest = denser[distances[row, denser].argmin()]
        parent[row], apart[row] = nearest, distances[row, nearest]
    return parent, apart


def _standing_out(strength: Floats) -> int:
    """Return how many of falling strengths lie above the largest gap of their logarithms."""
    top = np.log(np.maximum(strength[: MOST_PEAKS + 1], strength[0] * 1e-12))
    return int(np.argmax(top[:-1] - top[1:])) + 1
