"""Context autoencoder: erased boxes are filled in from what surrounds them."""

from collections.abc import Sequence

import torch
from pydantic import Field

from medunsup.anomaly.models.ae import AE, AEConfig, AELearner
from medunsup.core.registry import register
from medunsup.nn.erase import erase_boxes
from medunsup.nn.losses import inside_mean
from medunsup.training.learner import Batch, Loss


class ContextAEConfig(AEConfig):
    """Parameters of the context autoencoder."""

    most_boxes: int = Field(
        3, ge=1, le=32, description="largest number of boxes erased from a slice or volume"
    )
    largest_box: float = Field(
        0.5, gt=0, le=1, description="longest side of a box, as a share of the image's side"
    )


class ContextAELearner(AELearner):
    """Autoencoder that sees a scan with boxes erased and gives it whole."""

    def __init__(self, shape: Sequence[int], config: ContextAEConfig) -> None:
        super().__init__(shape, config)
        self.most, self.largest = config.most_boxes, config.largest_box

    def loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Mean squared error inside the masks to the scan before it was erased."""
        erased = erase_boxes(
            batch.values, batch.masks, most=self.most, largest=self.largest, generator=generator
        )
        error = self.reconstruct(erased, batch.masks) - batch.values
        return Loss(inside_mean(error.square(), batch.masks), {})


@register(
    "context_ae",
    family="autoencoder",
    dims=(2, 3),
    paper="Zimmerer et al., Context-encoding variational autoencoder for unsupervised anomaly detection, "
    "MIDL 2019, arXiv:1812.05941; Pathak et al., Context encoders, CVPR 2016",
    limit="It learns to remove boxes of one grey; a lesion whose grey fits its surroundings is kept.",
)
class ContextAE(AE):
    """Autoencoder with a dense bottleneck, trained to fill erased boxes.

    Offers `reconstruct` and `encode`.

    Parameters
    ----------
    config : ContextAEConfig, optional
        Parameters of the method, listed by `help(ContextAE.Config)`; the defaults if not given.

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
    >>> sizes = {"channels": 2, "levels": 1, "latent_dim": 4, "epochs": 1}
    >>> detector = medunsup.Detector(model="context_ae", score="absolute", model_params=sizes)
    >>> model = detector.fit(healthy).model_
    >>> values, mask = healthy[0][None, :, :, None], np.ones((16, 16, 1), bool)
    >>> model.reconstruct(values, mask).shape
    (1, 16, 16, 1)
    """

    Config = ContextAEConfig

    def build(self, shape: Sequence[int]) -> AELearner:
        """Make encoder and decoder."""
        return ContextAELearner(shape, self.config)
