"""Deep embedded clustering that keeps its decoder."""

from pydantic import Field

from medunsup.clustering.deep.coded import OnTargets, OnTargetsConfig
from medunsup.core.registry import register


class IDECConfig(OnTargetsConfig):
    """Parameters of idec."""

    weight: float = Field(0.1, ge=0, description="weight of the clusters in the loss")
    reconstruction: float = Field(1.0, ge=0, description="weight of the autoencoder's loss")


@register(
    "idec",
    family="deep",
    dims=(2, 3),
    paper="Guo, Gao, Liu and Yin (2017), Improved deep embedded clustering with local structure "
    "preservation. IJCAI.",
    limit="As for DEC: what k-means does not find among the autoencoder's codes is hardly found.",
)
class IDEC(OnTargets):
    """Learn codes and centres as DEC does, and reconstruct the items all the time.

    So codes stay true to what they are codes of. Otherwise it is `dec`.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.clustering import IDEC
    >>> rows = np.random.default_rng(0).normal(size=(12, 5))
    >>> IDEC(n_clusters=2, epochs=1, pretrain_epochs=1).fit(rows).transform(rows).shape
    (12, 10)
    """

    Config = IDECConfig

    def __init__(
        self,
        *,
        n_clusters: int = 2,
        epochs: int = 50,
        tolerance: float = 1e-3,
        weight: float = 0.1,
        reconstruction: float = 1.0,
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
        self.weight, self.reconstruction = weight, reconstruction
        self.pretrain_epochs, self.width, self.code = pretrain_epochs, width, code
        self.encoder, self.encoder_parameters = encoder, encoder_parameters
        self.batch_size, self.learning_rate, self.scale = batch_size, learning_rate, scale
