"""TEMI: as much information as possible shared by neighbours, over many heads."""

from typing import Any

from pydantic import Field

from medunsup.clustering.base import ClusteringConfig
from medunsup.clustering.deep.on_features import OnFeatures
from medunsup.core.registry import register


class TemiConfig(ClusteringConfig):
    """Parameters of TEMI."""

    n_clusters: int = Field(2, ge=1, description="clusters to find")
    neighbours: int = Field(20, ge=1, le=1000, description="nearest rows that make pairs with a row")
    heads: int = Field(8, ge=1, le=100, description="heads, of which that with the least loss is kept")
    hidden: int = Field(64, ge=1, le=4096, description="units of each head's hidden layer")
    beta: float = Field(0.6, gt=0, le=1, description="power of shares; below 1 clusters stay of like sizes")
    momentum: float = Field(0.98, ge=0, lt=1, description="how slowly teachers follow students")
    iterations: int = Field(400, ge=1, le=1_000_000, description="steps, each on one batch")
    batch_size: int = Field(256, ge=2, description="rows in each step")
    learning_rate: float = Field(3e-3, gt=0, le=1, description="step size of AdamW")


@register(
    "temi",
    family="deep",
    dims=(2, 3),
    paper="Adaloglou, Michels, Kalisch and Kollmann (2023), Exploring the limits of deep image clustering "
    "using pretrained models. BMVC.",
    limit="It can be no better than the nearest neighbours among the features given, and draws like sizes.",
)
class Temi(OnFeatures):
    """Heads on frozen features (N, D) that share as much information as they can over pairs of neighbours.

    Each head has a teacher that follows it slowly. Pairs that the teachers see in one cluster weigh more.

    Examples
    --------
    >>> from medunsup.clustering import Temi
    >>> rows = [[0.0], [0.1], [0.2], [0.1], [0.2], [0.0], [5.0], [5.1], [5.2], [5.1], [5.0]]
    >>> Temi(n_clusters=2, neighbours=3).fit(rows).labels_.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    """

    Config = TemiConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        neighbours: int = 20,
        heads: int = 8,
        hidden: int = 64,
        beta: float = 0.6,
        momentum: float = 0.98,
        iterations: int = 400,
        batch_size: int = 256,
        learning_rate: float = 3e-3,
        seed: int = 0,
    ) -> None:
        self.n_clusters, self.neighbours, self.heads, self.hidden = n_clusters, neighbours, heads, hidden
        self.beta, self.momentum, self.iterations = beta, momentum, iterations
        self.batch_size, self.learning_rate, self.seed = batch_size, learning_rate, seed

    def _network(self, n_features: int, n_clusters: int, config: TemiConfig) -> Any:
        from medunsup.clustering.deep.share_heads import ManyHeads

        return ManyHeads(config.heads, n_features, n_clusters, config.hidden)

    def _learn(self, network: Any, values: Any, config: TemiConfig, generator: Any) -> list[float]:
        from medunsup.clustering.deep.temi_learning import learn

        near = self._near(config, len(values), network.out.shape[2])
        return learn(network, values, config, generator, near)

    def _remedy(self) -> str:
        return "Lower beta, or ask for fewer clusters."
