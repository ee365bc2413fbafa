"""Rotation: by how many right angles, and about which axis, an item was rotated."""

import torch

from medunsup.core.registry import register
from medunsup.selfsupervised.base import PretrainConfig, SelfSupervised
from medunsup.selfsupervised.classification import ClassificationLearner
from medunsup.selfsupervised.corruptions.corrupted import Classed
from medunsup.selfsupervised.corruptions.rotation import ROTATIONS, rotation
from medunsup.training.learner import View


class RotationConfig(PretrainConfig):
    """Parameters of rotation."""


class RotationLearner(ClassificationLearner):
    """Encoder, and a head that names the rotation."""

    def __init__(self, shape: tuple[int, ...], config: RotationConfig) -> None:
        super().__init__(shape, config, len(ROTATIONS[config.dims]))

    def change(self, view: View, generator: torch.Generator) -> Classed:
        """Rotate the middle of the items, a square or cube."""
        return rotation(_middle(view), generator)


def _middle(view: View) -> View:
    """Cut the middle of items, with all sides as long as the shortest; nothing of a square or cube."""
    values, masks = view.values, view.masks
    sides = values.shape[2:]
    for axis, side in enumerate(sides, start=2):
        values, masks = (one.narrow(axis, (side - min(sides)) // 2, min(sides)) for one in (values, masks))
    return View(values, masks)


@register(
    "rotation",
    family="classification",
    dims=(2, 3),
    paper="Gidaris et al., Unsupervised representation learning by predicting image rotations, ICLR 2018, "
    "arXiv:1803.07728; Taleb et al., 3D self-supervised methods for medical imaging, NeurIPS 2020, "
    "arXiv:2006.03829",
    limit="The outline of scans that all lie alike tells the rotation; patches teach more than whole scans.",
)
class Rotation(SelfSupervised):
    """Items are rotated by right angles, and the rotation is to be named.

    In 2D there are 4 rotations, in 3D 10: none, and three about each axis. Of items whose sides differ the
    middle is taken, a square or cube.

    Parameters
    ----------
    config : RotationConfig, optional
        Parameters of the method, listed by `help(Rotation.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : RotationLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import Rotation, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = Rotation(Rotation.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = RotationConfig
    learner_: RotationLearner

    def build(self, shape: tuple[int, ...]) -> RotationLearner:
        """Make encoder and head."""
        return RotationLearner(shape, self.config)
