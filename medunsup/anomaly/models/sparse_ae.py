"""Sparse autoencoder: a wide code of which only a few entries may be used at a time."""

from collections.abc import Sequence

from pydantic import Field
from torch import Tensor, nn

from medunsup.anomaly.models.ae import AE, AEConfig, AELearner
from medunsup.core.registry import register


class SparseAEConfig(AEConfig):
    """Parameters of the sparse autoencoder."""

    latent_dim: int = Field(512, ge=1, le=4096, description="length of the code of a slice or volume")
    active: float = Field(
        0.125, gt=0, le=1, description="share of the code's entries that are kept, the largest ones"
    )


class KeepLargest(nn.Module):
    """Set all but the `count` largest entries of each row (B, D) to 0."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def forward(self, z: Tensor) -> Tensor:
        """Return (B, D); the gradient flows through the entries that are kept."""
        kept = z.topk(self.count, dim=1)
        return z.new_zeros(z.shape).scatter(1, kept.indices, kept.values)


@register(
    "sparse_ae",
    family="autoencoder",
    dims=(2, 3),
    paper="Makhzani & Frey, k-Sparse autoencoders, ICLR 2014, arXiv:1312.5663",
    limit="Entries that are never among the largest learn nothing: the code is narrower than it looks.",
)
class SparseAE(AE):
    """Autoencoder that keeps the largest entries of a long code; the others are 0.

    Offers `reconstruct` and `encode`.

    Parameters
    ----------
    config : SparseAEConfig, optional
        Parameters of the method, listed by `help(SparseAE.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : Learner
        The trained networks.
    trained_ : Trained
        How the training ended: epochs run, which was best, its validation loss. Not there in a model that was
        read from a file.

    Examples
    --------
    >>> import medunsup
    >>> import numpy as np
    >>> healthy = np.random.default_rng(0).random((4, 16, 16), dtype=np.float32)
    >>> sizes = {"active": 0.25, "channels": 2, "levels": 1, "latent_dim": 8, "epochs": 1}
    >>> detector = medunsup.Detector(model="sparse_ae", score="absolute", model_params=sizes)
    >>> model = detector.fit(healthy).model_
    >>> values, mask = healthy[0][None, :, :, None], np.ones((16, 16, 1), bool)
    >>> int(np.count_nonzero(model.encode(values, mask)))
    2
    """

    Config = SparseAEConfig

    def build(self, shape: Sequence[int]) -> AELearner:
        """Make encoder and decoder."""
        learner = AELearner(shape, self.config)
        learner.encoder.append(KeepLargest(max(1, round(self.config.active * self.config.latent_dim))))
        return learner
