"""SCAN: neighbours belong to one cluster."""

from typing import Any

from pydantic import Field

from medunsup.clustering.base import ClusteringConfig
from medunsup.clustering.deep.on_features import OnFeatures
from medunsup.core.registry import register


class ScanConfig(ClusteringConfig):
    """Parameters of SCAN."""

    n_clusters: int = Field(2, ge=1, description="clusters to find")
    neighbours: int = Field(10, ge=1, le=1000, description="nearest rows that a row is to agree with")
    balance: float = Field(5.0, ge=0, description="weight of the entropy that keeps clusters in use")
    hidden: int = Field(128, ge=0, le=4096, description="units of the hidden layer; 0 for a linear head")
    heads: int = Field(10, ge=1, le=100, description="heads of which the one of the least loss is kept")
    epochs: int = Field(100, ge=1, description="passes over the rows that learn from neighbours, each head")
    label_epochs: int = Field(20, ge=0, description="passes that learn from the head's own sure labels")
    confidence: float = Field(0.99, ge=0, lt=1, description="share above which a label is sure")
    noise: float = Field(
        0.2, ge=0, le=10, description="noise on features while it learns from its labels, in their sd"
    )
    batch_size: int = Field(256, ge=2, description="rows in each step")
    learning_rate: float = Field(1e-3, gt=0, le=1, description="step size of Adam")


@register(
    "scan",
    family="deep",
    dims=(2, 3),
    paper="Van Gansbeke, Vandenhende, Georgoulis, Proesmans and Van Gool (2020), SCAN: learning to classify "
    "images without labels. ECCV.",
    limit="It can be no better than the nearest neighbours among the features given, and draws like sizes.",
)
class Scan(OnFeatures):
    """A head on frozen features (N, D) that gives near rows the same cluster.

    Several are learned, and the one of the least loss learns from the labels that it is sure of.
    The paper's second stage changes images strongly; features get Gaussian noise instead.

    Examples
    --------
    >>> from medunsup.clustering import Scan
    >>> rows = [[0.0], [0.1], [0.2], [0.1], [0.2], [0.0], [5.0], [5.1], [5.2], [5.1], [5.0]]
    >>> Scan(n_clusters=2, neighbours=3).fit(rows).labels_.tolist()
    [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]
    """

    Config = ScanConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        neighbours: int = 10,
        balance: float = 5.0,
        hidden: int = 128,
        heads: int = 10,
        epochs: int = 100,
        label_epochs: int = 20,
        confidence: float = 0.99,
        noise: float = 0.2,
        batch_size: int = 256,
        learning_rate: float = 1e-3,
        seed: int = 0,
    ) -> None:
        self.n_clusters, self.neighbours, self.balance = n_clusters, neighbours, balance
        self.hidden, self.heads = hidden, heads
        self.epochs, self.label_epochs = epochs, label_epochs
        self.confidence, self.noise = confidence, noise
        self.batch_size, self.learning_rate, self.seed = batch_size, learning_rate, seed

    def _network(self, n_features: int, n_clusters: int, config: ScanConfig) -> Any:
        from medunsup.clustering.deep.share_heads import ShareHead

        return ShareHead(n_features, n_clusters, config.hidden)

    def _learn(self, network: Any, values: Any, config: ScanConfig, generator: Any) -> list[float]:
        from medunsup.clustering.deep.scan_learning import learn

        near = self._near(config, len(values), network.last.out_features)
        return learn(network, values, config, generator, near)

    def _remedy(self) -> str:
        return "Raise balance, or ask for fewer clusters."
