"""Deep adaptive clustering: pairs taken for alike or unlike by thresholds that draw nearer."""

from typing import Any

from pydantic import Field

from medunsup.clustering.deep.on_images import OnImages, OnImagesConfig
from medunsup.core.registry import register


class DacAdaptiveConfig(OnImagesConfig):
    """Parameters of dac_adaptive."""

    epochs: int = Field(40, ge=1, description="passes over the items")


@register(
    "dac_adaptive",
    family="deep",
    dims=(2, 3),
    paper="Chang, Wang, Meng, Xiang and Pan (2017), Deep adaptive image clustering. ICCV.",
    limit="It believes what a network drawn by chance first holds for alike: other seeds, other clusters.",
)
class DacAdaptive(OnImages):
    """Two items are held for one cluster if the cosine of their shares is high, for two if it is low.

    What is high and low draws nearer epoch by epoch, from sure pairs to all. Shares come from logits that are
    standardised over the batch while learning. The paper also alters images at random; this does not.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import DacAdaptive
    >>> images = np.random.default_rng(0).normal(size=(12, 8, 8))
    >>> DacAdaptive(n_clusters=2, epochs=1).fit(images).predict_proba(images[:3]).shape[0]
    3
    """

    Config = DacAdaptiveConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        epochs: int = 40,
        width: int = 64,
        encoder: str = "cnn",
        encoder_parameters: dict[str, object] | None = None,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        seed: int = 0,
    ) -> None:
        self.n_clusters, self.seed = n_clusters, seed
        self.epochs = epochs
        self.width, self.encoder, self.encoder_parameters = width, encoder, encoder_parameters
        self.batch_size, self.learning_rate = batch_size, learning_rate

    def _network(self, n_features: int, n_clusters: int, config: DacAdaptiveConfig) -> Any:
        from medunsup.clustering.deep.dac_adaptive_learning import Network

        return Network(self._body(config), self._shape(), n_clusters, config)

    def _learn(self, network: Any, values: Any, config: DacAdaptiveConfig, generator: Any) -> list[float]:
        from medunsup.clustering.deep.dac_adaptive_learning import learn

        return learn(network, values, config, generator)
