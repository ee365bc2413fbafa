"""A GAN that makes items, and clusters of what its discriminator sees."""

from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from medunsup.clustering.base import Floats, Labels
from medunsup.clustering.deep.makes_items import MakesItems
from medunsup.clustering.deep.on_images import OnImagesConfig
from medunsup.core.registry import register


class GANConfig(OnImagesConfig):
    """Parameters of gan."""

    noise: int = Field(16, ge=1, le=10_000, description="numbers that an item is made of")
    epochs: int = Field(60, ge=1, description="passes over the items")


@register(
    "gan",
    family="deep",
    dims=(2, 3),
    paper="Radford, Metz and Chintala (2016), Unsupervised representation learning with deep convolutional "
    "generative adversarial networks. ICLR.",
    limit="It is a sampler: clusters are k-means of features that were learned for another end.",
)
class GAN(MakesItems):
    """A network makes items from noise, and another tells them from real ones.

    Clusters are k-means of what the second one sees. Normalisation is by item, not by batch as in the
    paper. `frechet_` is the squared Fréchet distance of
    made to real items between features of a network of ours that nobody trained, beside `frechet_halves_`,
    that between two halves of the real items: values mean something beside that alone.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import GAN
    >>> images = np.random.default_rng(0).normal(size=(12, 8, 8))
    >>> GAN(n_clusters=2, epochs=1).fit(images).predict_proba(images[:3]).shape[0]
    3
    """

    Config = GANConfig
    _more_attributes: ClassVar[str] = (
        MakesItems._more_attributes
        + """
frechet_ : float
    Squared Fréchet distance of made to real items; NaN with fewer than 4 rows.
frechet_halves_ : float
    That between two halves of the real items."""
    )
    frechet_: float
    frechet_halves_: float
    _learned: ClassVar[tuple[str, ...]] = (*MakesItems._learned, "frechet_", "frechet_halves_")

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

    def _network(self, n_features: int, n_clusters: int, config: GANConfig) -> Any:
        from medunsup.clustering.deep.gan_learning import Network

        return Network(self._body(config), self._shape(), n_clusters, config)

    def _learn(self, network: Any, values: Any, config: GANConfig, generator: Any) -> list[float]:
        from medunsup.clustering.deep.gan_learning import learn

        return learn(network, values, config, generator)

    def _fit(self, rows: Floats, n_clusters: int, config: Any) -> Labels:
        labels = super()._fit(rows, n_clusters, config)
        self.frechet_, self.frechet_halves_ = np.nan, np.nan
        if self._n_columns > 1:
            self.frechet_, self.frechet_halves_ = self._figures(rows, config)
        return labels

    def _figures(self, rows: Floats, config: GANConfig) -> tuple[float, float]:
        import torch

        from medunsup.clustering.deep.unlikeness import MOST, frechet_figures

        with torch.no_grad():
            made = self._net.draw(min(len(rows), MOST), torch.Generator().manual_seed(config.seed))
        parameters = dict(config.encoder_parameters or {})
        values = torch.from_numpy(self._values(rows))
        return frechet_figures(values, made, self._shape(), config.encoder, parameters)
