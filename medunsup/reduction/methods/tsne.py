"""t-SNE: near rows stay near; new rows are drawn to their neighbours one at a time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.core.errors import DependencyError
from medunsup.core.extras import install
from medunsup.core.registry import register
from medunsup.reduction.base import Floats, Reduction, ReductionConfig

NEIGHBOURS = 3  # times the perplexity
EXAGGERATION = 12.0
NEAR, STEPS = 5, 250  # of a new row: neighbours that it starts at and is drawn to, steps


class TSNEConfig(ReductionConfig):
    """Parameters of t-SNE."""

    n_components: int = Field(2, ge=1, le=2, description="axes of the map")
    perplexity: float = Field(
        30.0, ge=1, description="about how many neighbours a row has; at most a third of the other rows"
    )
    epochs: int = Field(500, ge=1, description="steps of the layout, after half as many of exaggeration")
    seed: int = Field(0, ge=0, description="seed of the small jitter that it starts with")


@register(
    "tsne",
    family="neighbours",
    dims=(2, 3),
    paper="van der Maaten & Hinton (2008), Visualizing data using t-SNE. JMLR. New rows: Poličar, "
    "Stražar & Zupan (2024), openTSNE. Journal of Statistical Software.",
    limit="Distances between groups, their sizes and densities mean nothing; noise forms clumps as well.",
)
class TSNE(Reduction):
    """Near rows are kept near on the map, begun at the principal components (openTSNE's, extra `maps`).

    A new row starts at the median of its neighbours and is drawn to them, while the fitted rows stay.

    Parameters
    ----------
    n_components : int, default 2
        Axes of the map.
    standardize : bool, default True
        Bring each feature to mean 0 and standard deviation 1 before anything else.
    perplexity : float, default 30.0
        About how many neighbours a row has; at most a third of the other rows.
    epochs : int, default 500
        Steps of the layout, after half as many of exaggeration.
    seed : int, default 0
        Seed of the small jitter that it starts with.

    Attributes
    ----------
    embedding_ : ndarray of shape (N, n_components)
        Places of the fitted rows, in their order.
    explained_ : None
        No share of variance is known.
    placement_ : str
        'exact': new rows are placed by the method itself.
    remarks_ : tuple of str
        What was done otherwise than asked, in words.
    n_features_in_ : int
        Number of features D.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.reduction import TSNE
    >>> rows = np.random.default_rng(0).normal(size=(40, 5))
    >>> TSNE(epochs=5).fit_transform(rows).shape
    (40, 2)
    """

    Config = TSNEConfig

    def __init__(
        self,
        *,
        n_components: int = 2,
        standardize: bool = True,
        perplexity: float = 30.0,
        epochs: int = 500,
        seed: int = 0,
    ) -> None:
        self.n_components, self.standardize = n_components, standardize
        self.perplexity, self.epochs, self.seed = perplexity, epochs, seed

    def _learn(self, rows: Floats, counts: NDArray[np.intp], config: Any) -> Floats:
        most = (len(rows) - 1) / NEIGHBOURS
        if config.perplexity > most:
            self._remark(f"Perplexity {most:.3g} was taken, a third of the number of other rows.")
        start = _library().initialization.pca(rows, config.n_components, random_state=config.seed)
        layout = self._layout(rows, start, method="auto")
        layout = layout.optimize(n_iter=max(1, config.epochs // 2), exaggeration=EXAGGERATION, momentum=0.5)
        return np.array(layout.optimize(n_iter=config.epochs, momentum=0.8))

    def _place(self, row: Floats) -> Floats:
        rows = self._scaled(self._rows)
        near = min(NEAR, (len(rows) - 1) / NEIGHBOURS)
        layout = self._layout(rows, self._places, method="bh")
        new = layout.prepare_partial(row[None], initialization="median", k=NEAR, perplexity=near)
        small = {"learning_rate": 0.1, "max_grad_norm": 0.25}
        return np.array(new.optimize(n_iter=STEPS, exaggeration=1.5, momentum=0.8, **small))[0]

    def _layout(self, rows: Floats, places: Floats, *, method: str) -> Any:
        """Return openTSNE's map of fitted rows that lie at these places."""
        library = _library()
        perplexity = min(self.perplexity, (len(rows) - 1) / NEIGHBOURS)
        affinities = library.affinity.PerplexityBasedNN(rows, perplexity=perplexity, method="exact", n_jobs=1)
        return library.TSNEEmbedding(places, affinities, negative_gradient_method=method, n_jobs=1)

    def _least_rows(self, config: Any) -> int:
        return 5

    def _least_features(self, config: Any) -> int:
        return config.n_components


def _library() -> Any:
    try:
        import openTSNE
        import openTSNE.affinity
        import openTSNE.initialization
    except ImportError as error:
        raise DependencyError(f"tsne needs openTSNE; {install('maps')}") from error
    return openTSNE
