"""Gaussians on a map of an autoencoder's codes."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.clustering.base import Clustering, Floats
from medunsup.clustering.deep.coded import Coded, CodedConfig
from medunsup.clustering.deep.on_codes import OnCodes
from medunsup.clustering.stored import State, part_of
from medunsup.core.registry import register

MAP = "map/"  # before the names of the map's arrays in a state


class N2DConfig(CodedConfig):
    """Parameters of n2d."""

    neighbours: int = Field(20, ge=2, description="neighbours that the map keeps together")


@register(
    "n2d",
    family="deep",
    dims=(2, 3),
    paper="McConville, Santos-Rodriguez, Piechocki and Craddock (2021), N2D: (not too) deep clustering via "
    "clustering the local manifold of an autoencoded embedding. ICPR.",
    limit="UMAP draws groups in plain noise too: ask whether there are any before. Needs the extra `maps`.",
)
class N2D(OnCodes, Coded):
    """Learn codes by an autoencoder, lay them out by UMAP, and fit a mixture of Gaussians to the map.

    The map has as many axes as clusters are sought. A new row is placed between its nearest fitted rows,
    alone as among others, as `reduction.UMAP` does.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import N2D
    >>> rows = np.random.default_rng(0).normal(size=(12, 5))
    >>> N2D(n_clusters=2, pretrain_epochs=1).fit(rows).predict_proba(rows).shape  # doctest: +SKIP
    (12, 2)
    """

    Config = N2DConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        neighbours: int = 20,
        pretrain_epochs: int = 100,
        width: int = 256,
        code: int = 10,
        encoder: str = "cnn",
        encoder_parameters: dict[str, object] | None = None,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        scale: str = "each",
        seed: int = 0,
    ) -> None:
        self.n_clusters, self.neighbours, self.seed = n_clusters, neighbours, seed
        self.pretrain_epochs, self.width, self.code = pretrain_epochs, width, code
        self.encoder, self.encoder_parameters = encoder, encoder_parameters
        self.batch_size, self.learning_rate, self.scale = batch_size, learning_rate, scale

    def _network(self, n_features: int, n_clusters: int, config: N2DConfig) -> Any:
        from medunsup.clustering.deep.autoencoder import CodeNetwork

        return CodeNetwork(self._coder(config))

    def _learn(self, network: Any, values: Any, config: N2DConfig, generator: Any) -> list[float]:
        from medunsup.clustering.deep.autoencoder import pretrain

        return pretrain(network, network.features, values, config, generator)

    def _learn_codes(self, rows: Floats, n_clusters: int, config: N2DConfig) -> Floats:
        codes = self._network_features(rows)
        axes = min(n_clusters, config.code, len(np.unique(codes, axis=0)) - 3)
        if axes < 1:
            self._map = None
            self._remark("Too few rows for a map: clusters lie among the codes themselves.")
            return codes
        self._map = self._new_map(axes, config)
        return self._map.fit_transform(codes)

    def _codes(self, rows: Floats) -> Floats:
        codes = self._network_features(rows)
        found: Floats = codes if self._map is None else self._map.transform(codes)
        return found

    def _new_map(self, axes: int, config: N2DConfig) -> Any:
        from medunsup.reduction.methods.umap import UMAP

        return UMAP(
            n_components=axes,
            standardize=False,
            neighbours=config.neighbours,
            min_dist=0.0,
            seed=config.seed,
        )

    def _new_within(self, n_clusters: int, config: N2DConfig) -> Clustering:
        from medunsup.clustering.methods.gmm import GMM

        return GMM(n_clusters=n_clusters, covariance_type="full", n_init=5, seed=config.seed)

    def state(self) -> State:
        """Return all that was learned as arrays by name.

        Returns
        -------
        dict of str to ndarray
            Arrays, the fitted rows, the weights, the map and the mixture among them.
        """
        found = super().state()
        if self._n_columns > 1 and self._map is not None:
            found |= {MAP + name: value for name, value in self._map.state().items()}
        return found

    def load_state(self, state: Mapping[str, NDArray[Any]]) -> Self:
        """Take over what `state` gave; the parameters must be those of the fit.

        Parameters
        ----------
        state : dict of str to ndarray
            Arrays by name.

        Returns
        -------
        Clustering
            This method, fitted.
        """
        super().load_state(state)
        if self._n_columns > 1:
            held = part_of(state, MAP)
            config = self.Config.parse(self.get_params(), type(self).__name__)
            self._map = self._new_map(held["places"].shape[1], config).load_state(held) if held else None
        return self
