"""TURTLE: the labelling that linear classifiers find easiest."""

from typing import Any

from pydantic import Field

from medunsup.clustering.base import ClusteringConfig
from medunsup.clustering.deep.on_features import OnFeatures
from medunsup.core.registry import register


class TurtleConfig(ClusteringConfig):
    """Parameters of TURTLE."""

    n_clusters: int = Field(2, ge=1, description="clusters to find")
    iterations: int = Field(500, ge=1, le=1_000_000, description="steps of the labelling")
    inner_steps: int = Field(10, ge=1, le=1000, description="steps of the classifier at each of them")
    balance: float = Field(10.0, ge=0, description="weight of the entropy that keeps clusters in use")
    learning_rate: float = Field(1e-2, gt=0, le=1, description="step size of Adam, of the labelling")
    batch_size: int = Field(10_000, ge=2, description="rows in each step")


@register(
    "turtle",
    family="deep",
    dims=(2, 3),
    paper="Gadetsky, Jiang and Brbic (2024), Let go of your labels with unsupervised transfer. ICML.",
    limit="It draws like sizes, and finds no more than straight lines part in the features given.",
)
class Turtle(OnFeatures):
    """Search for labels on frozen features (N, D) by which a linear classifier has the least loss.

    A linear head gives each row shares of clusters; a linear classifier learns them anew in some steps from
    where it was; and the head follows the classifier, while the entropy of the mean share keeps all
    clusters in use. The gradient through the classifier's own learning is left out, as in the paper.

    Examples
    --------
    >>> from medunsup.clustering import Turtle
    >>> rows = [[0.0], [0.1], [0.2], [0.1], [0.2], [0.0], [5.0], [5.1], [5.2], [5.1], [5.0]]
    >>> Turtle(n_clusters=2, iterations=100).fit(rows).labels_.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    """

    Config = TurtleConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        iterations: int = 500,
        inner_steps: int = 10,
        balance: float = 10.0,
        learning_rate: float = 1e-2,
        batch_size: int = 10_000,
        seed: int = 0,
    ) -> None:
        self.n_clusters, self.iterations, self.inner_steps = n_clusters, iterations, inner_steps
        self.balance, self.learning_rate, self.batch_size = balance, learning_rate, batch_size
        self.seed = seed

    def _network(self, n_features: int, n_clusters: int, config: TurtleConfig) -> Any:
        from medunsup.clustering.deep.share_heads import ShareHead

        return ShareHead(n_features, n_clusters)

    def _learn(self, network: Any, values: Any, config: TurtleConfig, generator: Any) -> list[float]:
        from medunsup.clustering.deep.turtle_learning import learn

        return learn(network, values, config, generator)

    def _remedy(self) -> str:
        return "Raise balance, or ask for fewer clusters."
