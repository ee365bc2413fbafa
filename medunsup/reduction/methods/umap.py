"""UMAP: near rows stay near; new rows lie between their neighbours."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.core.errors import DependencyError
from medunsup.core.extras import install
from medunsup.core.registry import register
from medunsup.reduction.base import Floats, Reduction, ReductionConfig
from medunsup.reduction.placing import by_neighbours
from medunsup.reduction.threads import same_threads


class UMAPConfig(ReductionConfig):
    """Parameters of UMAP."""

    neighbours: int = Field(15, ge=2, description="nearest rows that are kept near; at most all others")
    min_dist: float = Field(0.1, ge=0, le=1, description="least distance of rows on the map, in its units")
    epochs: int | None = Field(None, ge=1, description="passes over the links; None leaves it to UMAP")
    seed: int = Field(0, ge=0, description="seed of the layout")


@register(
    "umap",
    family="neighbours",
    dims=(2, 3),
    paper="McInnes, Healy & Melville (2018), UMAP: uniform manifold approximation and projection for "
    "dimension reduction. arXiv:1802.03426",
    limit="Distances between groups, their sizes and gaps mean little; groups appear in plain noise as well.",
)
class UMAP(Reduction):
    """Near rows are kept near on the map (umap-learn's, extra `maps`).

    Its own way to place a new row depends on the rows beside it, so new rows lie between their nearest fitted
    rows instead.

    Parameters
    ----------
    n_components : int, default 2
        Axes of the map.
    standardize : bool, default True
        Bring each feature to mean 0 and standard deviation 1 before anything else.
    neighbours : int, default 15
        Nearest rows that are kept near; at most all others. New rows are placed between as many.
    min_dist : float, default 0.1
        Least distance of rows on the map, in its units.
    epochs : int, optional
        Passes over the links; without it UMAP decides.
    seed : int, default 0
        Seed of the layout.

    Attributes
    ----------
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
    >>> from medunsup.reduction import UMAP
    >>> rows = np.random.default_rng(0).normal(size=(40, 5))
    >>> UMAP(epochs=5).fit_transform(rows).shape
    (40, 2)
    """

    Config = UMAPConfig
    placement_ = "neighbours"

    def __init__(
        self,
        *,
        n_components: int = 2,
        standardize: bool = True,
        neighbours: int = 15,
        min_dist: float = 0.1,
        epochs: int | None = None,
        seed: int = 0,
    ) -> None:
        self.n_components, self.standardize = n_components, standardize
        self.neighbours, self.min_dist = neighbours, min_dist
        self.epochs, self.seed = epochs, seed

    def _learn(self, rows: Floats, counts: NDArray[np.intp], config: Any) -> Floats:
        k = min(config.neighbours, len(rows) - 1)
        if k < config.neighbours:
            self._remark(f"{k} neighbours were taken, as there are no more other rows.")
        with same_threads(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = _library().UMAP(
                n_components=config.n_components,
                n_neighbors=k,
                min_dist=config.min_dist,
                n_epochs=config.epochs,
                random_state=config.seed,
                n_jobs=1,
            )
            return model.fit_transform(rows)

    def _place(self, row: Floats) -> Floats:
        return by_neighbours(row, self._scaled(self._rows), self._places, self.neighbours)

    def _least_rows(self, config: Any) -> int:
        return config.n_components + 3


def _library() -> Any:
    try:
        import umap
    except ImportError as error:
        raise DependencyError(f"umap needs umap-learn; {install('maps')}") from error
    return umap
