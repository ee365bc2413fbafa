"""Adversarial autoencoder whose code holds a cluster and a style."""

from typing import Any

from pydantic import Field

from medunsup.clustering.deep.on_images import OnImages, OnImagesConfig
from medunsup.core.registry import register


class DacAdversarialConfig(OnImagesConfig):
    """Parameters of dac_adversarial."""

    style: int = Field(4, ge=1, le=1000, description="numbers of the code that are no cluster")
    epochs: int = Field(60, ge=1, description="passes over the items")


@register(
    "dac_adversarial",
    family="deep",
    dims=(2, 3),
    paper="Makhzani, Shlens, Jaitly, Goodfellow and Frey (2015), Adversarial autoencoders (section 5, "
    "unsupervised clustering). arXiv:1511.05644.",
    limit="The game of its networks may merge clusters or split them by style; it draws like sizes.",
)
class DacAdversarial(OnImages):
    """An autoencoder whose code is shares of clusters and a few numbers for style.

    One opponent tells shares from drawn clusters, the other tells styles from draws of a normal
    distribution; the encoder learns to deceive both while items are told again from the code.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import DacAdversarial
    >>> images = np.random.default_rng(0).normal(size=(12, 8, 8))
    >>> DacAdversarial(n_clusters=2, epochs=1).fit(images).predict_proba(images[:3]).shape[0]
    3
    """

    Config = DacAdversarialConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        style: int = 4,
        epochs: int = 60,
        width: int = 64,
        encoder: str = "cnn",
        encoder_parameters: dict[str, object] | None = None,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        seed: int = 0,
    ) -> None:
        self.n_clusters, self.seed = n_clusters, seed
        self.style, self.epochs = style, epochs
        self.width, self.encoder, self.encoder_parameters = width, encoder, encoder_parameters
        self.batch_size, self.learning_rate = batch_size, learning_rate

    def _network(self, n_features: int, n_clusters: int, config: DacAdversarialConfig) -> Any:
        from medunsup.clustering.deep.dac_adversarial_learning import Network

        return Network(self._body(config), self._shape(), n_clusters, config)

    def _learn(self, network: Any, values: Any, config: DacAdversarialConfig, generator: Any) -> list[float]:
        from medunsup.clustering.deep.dac_adversarial_learning import learn

        return learn(network, values, config, generator)
