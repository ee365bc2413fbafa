"""Multidimensional scaling: distances on the map as near as can be to those of the features."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.core.registry import register
from medunsup.reduction.base import Floats, Reduction, ReductionConfig
from medunsup.reduction.placing import by_neighbours


class MDSConfig(ReductionConfig):
    """Parameters of multidimensional scaling."""

    neighbours: int = Field(5, ge=1, description="nearest fitted rows that a new row is placed between")
    steps: int = Field(300, ge=1, description="improvements of the map at most")


@register(
    "mds",
    family="distances",
    dims=(2, 3),
    paper="Borg & Groenen (2005), Modern multidimensional scaling. Springer. SMACOF: De Leeuw (1977).",
    limit="Far pairs decide the map: near neighbours may be torn apart for them.",
)
class MDS(Reduction):
    """Metric scaling by SMACOF, begun at the principal coordinates (scikit-learn's).

    It cannot place a new row, so new rows lie between their nearest fitted rows.

    Parameters
    ----------
    n_components : int, default 2
        Axes of the map.
    standardize : bool, default True
        Bring each feature to mean 0 and standard deviation 1 before anything else.
    neighbours : int, default 5
        Nearest fitted rows that a new row is placed between.
    steps : int, default 300
        Improvements of the map at most.

    Attributes
    ----------
    stress_ : float
        Sum of squared differences of the distances on the map and of the features, over that of the squared
        distances of the features; under its root 0.05 is good and 0.2 is poor.
    embedding_ : ndarray of shape (N, n_components)
        Places of the fitted rows, in their order.
    explained_ : None
        No share of variance is known.
    placement_ : str
        'neighbours': new rows lie at the weighted mean place of their nearest fitted rows.
    remarks_ : tuple of str
        What was done otherwise than asked, in words.
    n_features_in_ : int
        Number of features D.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.reduction import MDS
    >>> rows = np.random.default_rng(0).normal(size=(40, 5))
    >>> MDS().fit_transform(rows).shape
    (40, 2)
    """

    Config = MDSConfig
    placement_ = "neighbours"
    stress_: float
    _learned = ("stress_",)
    _most_rows = 5_000

    def __init__(
        self, *, n_components: int = 2, standardize: bool = True, neighbours: int = 5, steps: int = 300
    ) -> None:
        self.n_components, self.standardize = n_components, standardize
        self.neighbours, self.steps = neighbours, steps

    def _learn(self, rows: Floats, counts: NDArray[np.intp], config: Any) -> Floats:
        from scipy.spatial.distance import pdist
        from sklearn import manifold

        model = manifold.MDS(
            config.n_components, n_init=1, init="classical_mds", max_iter=config.steps, random_state=0
        )
        places = model.fit_transform(rows)
        wanted = pdist(rows)
        self.stress_ = float(np.square(pdist(places) - wanted).sum() / np.square(wanted).sum())
        return places

    def _place(self, row: Floats) -> Floats:
        return by_neighbours(row, self._scaled(self._rows), self._places, self.neighbours)

    def _least_features(self, config: Any) -> int:
        return config.n_components
