"""Features of a deep belief network, and a Dirichlet process of clusters among them."""

from typing import Any

from pydantic import Field

from medunsup.clustering.base import Clustering, ClusteringConfig, Floats
from medunsup.clustering.deep.on_codes import OnCodes
from medunsup.core.registry import register


class DbnNmmcConfig(ClusteringConfig):
    """Parameters of dbn_nmmc."""

    n_clusters: int = Field(10, ge=1, description="clusters at most; those that hold no row are left out")
    concentration: float | None = Field(
        None,
        gt=0,
        description="of the Dirichlet process: more gives more clusters; 1 / n_clusters if not given",
    )
    width: int = Field(64, ge=1, le=4096, description="units of the first machine")
    code: int = Field(10, ge=1, le=4096, description="units of the second")
    epochs: int = Field(50, ge=1, description="passes over the items for each machine")
    batch_size: int = Field(64, ge=2, description="items in each step")
    learning_rate: float = Field(0.1, gt=0, le=1, description="step size; a tenth for the first machine")


@register(
    "dbn_nmmc",
    family="deep",
    dims=(2, 3),
    paper="After Chen (2015), Deep learning with nonparametric clustering. arXiv:1501.03084; mixture of Blei "
    "and Jordan (2006).",
    limit="Two machines see images as rows of numbers, not as images; the paper's clusters of largest margin "
    "are Gaussians here.",
)
class DbnNmmc(OnCodes):
    """Learn two restricted Boltzmann machines, and find how many Gaussians their units fall into.

    The second machine's log odds are the codes. A Dirichlet-process mixture empties superfluous clusters.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import DbnNmmc
    >>> rows = np.random.default_rng(0).normal(size=(12, 5))
    >>> DbnNmmc(n_clusters=3, epochs=1).fit(rows).n_clusters_ <= 3
    True
    """

    Config = DbnNmmcConfig

    def __init__(
        self,
        *,
        n_clusters: int = 10,
        concentration: float | None = None,
        width: int = 64,
        code: int = 10,
        epochs: int = 50,
        batch_size: int = 64,
        learning_rate: float = 0.1,
        seed: int = 0,
    ) -> None:
        self.n_clusters, self.concentration, self.seed = n_clusters, concentration, seed
        self.width, self.code, self.epochs = width, code, epochs
        self.batch_size, self.learning_rate = batch_size, learning_rate

    def _network(self, n_features: int, n_clusters: int, config: DbnNmmcConfig) -> Any:
        from medunsup.clustering.deep.boltzmann import Machines

        return Machines((n_features, config.width, config.code))

    def _learn(self, network: Any, values: Any, config: DbnNmmcConfig, generator: Any) -> list[float]:
        from medunsup.clustering.deep.boltzmann import learn

        return learn(network, values, config, generator)

    def _new_within(self, n_clusters: int, config: DbnNmmcConfig) -> Clustering:
        from medunsup.clustering.methods.bayesian_gmm import BayesianGMM

        return BayesianGMM(n_clusters=n_clusters, concentration=config.concentration, seed=config.seed)

    def _codes(self, rows: Floats) -> Floats:
        return self._network_features(rows)
