"""CatGAN: sure of the cluster of real items, unsure of made ones."""

from typing import Any

from pydantic import Field

from medunsup.clustering.deep.makes_items import MakesItems
from medunsup.clustering.deep.on_images import OnImagesConfig
from medunsup.core.registry import register


class CatGANConfig(OnImagesConfig):
    """Parameters of catgan."""

    noise: int = Field(16, ge=1, le=10_000, description="numbers that an item is made of")
    epochs: int = Field(60, ge=1, description="passes over the items")


@register(
    "catgan",
    family="deep",
    dims=(2, 3),
    paper="Springenberg (2016), Unsupervised and semi-supervised learning with categorical generative "
    "adversarial networks. ICLR.",
    limit="Nothing ties a cluster to what eyes would part: borders lie where the two networks come to rest.",
)
class CatGAN(MakesItems):
    """A network shares items out to clusters, sure of real items and unsure of made ones.

    A second network makes items from noise that the first is sure of. Both use all clusters evenly.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import CatGAN
    >>> images = np.random.default_rng(0).normal(size=(12, 8, 8))
    >>> CatGAN(n_clusters=2, epochs=1).fit(images).predict_proba(images[:3]).shape[0]
    3
    """

    Config = CatGANConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        noise: int = 16,
        epochs: int = 60,
        width: int = 64,
        encoder: str = "cnn",
        encoder_parameters: dict[str, object] | None = None,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        seed: int = 0,
    ) -> None:
        self.n_clusters, self.seed = n_clusters, seed
        self.noise, self.epochs = noise, epochs
        self.width, self.encoder, self.encoder_parameters = width, encoder, encoder_parameters
        self.batch_size, self.learning_rate = batch_size, learning_rate

    def _network(self, n_features: int, n_clusters: int, config: CatGANConfig) -> Any:
        from medunsup.clustering.deep.catgan_learning import Network

        return Network(self._body(config), self._shape(), n_clusters, config)

    def _learn(self, network: Any, values: Any, config: CatGANConfig, generator: Any) -> list[float]:
        from medunsup.clustering.deep.catgan_learning import learn

        return learn(network, values, config, generator)
