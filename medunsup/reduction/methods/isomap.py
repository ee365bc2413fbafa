"""Isomap: distances along the sheet on which rows lie, laid out flat."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.core.registry import register
from medunsup.reduction.base import Floats, Reduction, ReductionConfig
from medunsup.reduction.kernel_axes import KernelAxes
from medunsup.reduction.placing import nearest


class IsomapConfig(ReductionConfig):
    """Parameters of Isomap."""

    neighbours: int = Field(10, ge=2, description="nearest rows that a row is linked to; at most all others")


@register(
    "isomap",
    family="neighbours",
    dims=(2, 3),
    paper="Tenenbaum, de Silva & Langford (2000), A global geometric framework for nonlinear dimensionality "
    "reduction. Science.",
    limit="One link across a gap, from too many neighbours or noise, folds the map.",
)
class Isomap(Reduction):
    """Distances are measured along links between near rows, and laid out on straight axes.

    Parts that no link joins are joined at their nearest rows, and a remark says so.

    Parameters
    ----------
    n_components : int, default 2
        Axes of the map.
    standardize : bool, default True
        Bring each feature to mean 0 and standard deviation 1 before anything else.
    neighbours : int, default 10
        Nearest rows that a row is linked to; at most all others.

    Attributes
    ----------
    geodesic_ : ndarray of shape (M, M)
        Distances of the distinct rows along the links.
    embedding_ : ndarray of shape (N, n_components)
        Places of the fitted rows, in their order.
    explained_ : ndarray of shape (n_components,)
        Share of the variance that each axis holds.
    placement_ : str
        'exact': new rows are placed by the method itself.
    remarks_ : tuple of str
        What was done otherwise than asked, in words.
    n_features_in_ : int
        Number of features D.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.reduction import Isomap
    >>> rows = np.random.default_rng(0).normal(size=(40, 5))
    >>> Isomap().fit_transform(rows).shape
    (40, 2)
    """

    Config = IsomapConfig
    geodesic_: Floats
    _axes: Floats
    _means: Floats
    _learned = ("geodesic_", "_axes", "_means", "explained_")
    _most_rows = 10_000

    def __init__(self, *, n_components: int = 2, standardize: bool = True, neighbours: int = 10) -> None:
        self.n_components, self.standardize, self.neighbours = n_components, standardize, neighbours

    def _learn(self, rows: Floats, counts: NDArray[np.intp], config: Any) -> Floats:
        self.geodesic_ = self._along_links(rows, min(config.neighbours, len(rows) - 1))
        found = KernelAxes.of(_products(self.geodesic_), config.n_components)
        self._axes, self._means, self.explained_ = found.axes, found.means, found.shares
        return self._each(rows)

    def _place(self, row: Floats) -> Floats:
        order, distances = nearest(row, self._scaled(self._rows), self.neighbours)
        along = (distances[:, None] + self.geodesic_[order]).min(axis=0)
        return KernelAxes(self._axes, self._means, np.empty(0)).place(_products(along))

    def _along_links(self, rows: Floats, k: int) -> Floats:
        from scipy.sparse.csgraph import connected_components, minimum_spanning_tree, shortest_path
        from scipy.spatial.distance import pdist, squareform
        from sklearn.neighbors import kneighbors_graph

        links = kneighbors_graph(rows, k, mode="distance")
        n_parts = connected_components(links, directed=False)[0]
        if n_parts > 1:
            self._remark(f"{n_parts} parts that no link joined were joined at their nearest rows.")
            links = links.maximum(minimum_spanning_tree(squareform(pdist(rows))))
        return shortest_path(links, directed=False)

    def _least_features(self, config: Any) -> int:
        return config.n_components


def _products(distances: Floats) -> Floats:
    return -0.5 * np.square(distances)
