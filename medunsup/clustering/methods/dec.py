"""Deep embedded clustering."""

from medunsup.clustering.deep.coded import OnTargets, OnTargetsConfig
from medunsup.core.registry import register


class DECConfig(OnTargetsConfig):
    """Parameters of dec."""

    @property
    def weight(self) -> float:
        """Weight of the clusters in the loss."""
        return 1.0

    @property
    def reconstruction(self) -> float:
        """Weight of the autoencoder's loss."""
        return 0.0


@register(
    "dec",
    family="deep",
    dims=(2, 3),
    paper="Xie, Girshick and Farhadi (2016), Unsupervised deep embedding for clustering analysis. ICML.",
    limit="What k-means does not find among the autoencoder's codes, the second stage does not find "
    "either; shares are surer than they should be.",
)
class DEC(OnTargets):
    """Learn codes by an autoencoder, then codes and centres together from sharpened shares.

    Shares of clusters are Student's t of the distance to their centres. The target squares them and
    divides by the size of the cluster, over all rows, and is renewed each epoch; the fit ends when fewer
    than `tolerance` of the labels change. The decoder is not used after the first stage. A centre without
    rows is put on the row that is least sure, which `remarks_` tells.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import DEC
    >>> rows = np.random.default_rng(0).normal(size=(12, 5))
    >>> DEC(n_clusters=2, epochs=1, pretrain_epochs=1).fit(rows).transform(rows).shape
    (12, 10)
    """

    Config = DECConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        epochs: int = 50,
        tolerance: float = 1e-3,
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
        self.epochs, self.tolerance = epochs, tolerance
        self.pretrain_epochs, self.width, self.code = pretrain_epochs, width, code
        self.encoder, self.encoder_parameters = encoder, encoder_parameters
        self.batch_size, self.learning_rate, self.scale = batch_size, learning_rate, scale
