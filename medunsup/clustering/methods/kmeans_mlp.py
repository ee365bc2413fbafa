"""K-means as the last layer of a network."""

from typing import Any

from pydantic import Field

from medunsup.clustering.deep.coded import Coded, CodedConfig
from medunsup.core.registry import register


class KMeansMLPConfig(CodedConfig):
    """Parameters of kmeans_mlp."""

    epochs: int = Field(50, ge=1, description="passes over the items, after the autoencoder's")
    weight: float = Field(
        1.0, ge=0, description="weight of k-means in the loss, both brought to what they are at the start"
    )
    sharpness: float = Field(
        10.0,
        gt=0,
        description="of the softmax at the end, times the mean squared distance to the nearest",
    )


@register(
    "kmeans_mlp",
    family="deep",
    dims=(2, 3),
    paper="Moradi Fard, Thonet and Gaussier (2020), Deep k-means: jointly clustering with k-means "
    "and learning "
    "representations. Pattern Recognition Letters.",
    limit="Clusters are round and alike in width among the codes; the weight of the loss is not "
    "known in advance.",
)
class KMeansMLP(Coded):
    """Learn codes and centres together by k-means' own loss, whose nearest centre is a softmax.

    The softmax of distances is sharpened epoch by epoch, so that at last it is k-means. An autoencoder's loss
    beside it keeps codes from falling into one point.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import KMeansMLP
    >>> rows = np.random.default_rng(0).normal(size=(12, 5))
    >>> KMeansMLP(n_clusters=2, epochs=1, pretrain_epochs=1).fit(rows).transform(rows).shape
    (12, 10)
    """

    Config = KMeansMLPConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        epochs: int = 50,
        weight: float = 1.0,
        sharpness: float = 10.0,
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
        self.n_clusters, self.seed = n_clusters, seed
        self.epochs, self.weight, self.sharpness = epochs, weight, sharpness
        self.pretrain_epochs, self.width, self.code = pretrain_epochs, width, code
        self.encoder, self.encoder_parameters = encoder, encoder_parameters
        self.batch_size, self.learning_rate, self.scale = batch_size, learning_rate, scale

    def _network(self, n_features: int, n_clusters: int, config: KMeansMLPConfig) -> Any:
        from medunsup.clustering.deep.centres import CentreNetwork

        return CentreNetwork(self._coder(config), n_clusters)

    def _learn(self, network: Any, values: Any, config: KMeansMLPConfig, generator: Any) -> list[float]:
        from medunsup.clustering.deep.centres import learn_k_means

        return learn_k_means(network, values, config, generator)
