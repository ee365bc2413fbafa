"""Jigsaw: in which order the tiles of an item lie."""

from math import factorial

import torch
from pydantic import Field
from torch import Tensor

from medunsup.core.registry import register
from medunsup.selfsupervised.base import PretrainConfig, SelfSupervised
from medunsup.selfsupervised.classification import ClassificationLearner
from medunsup.selfsupervised.corruptions.corrupted import Classed
from medunsup.selfsupervised.corruptions.jigsaw import jigsaw
from medunsup.training.learner import View


class JigsawConfig(PretrainConfig):
    """Parameters of the jigsaw puzzle."""

    tiles: int = Field(2, ge=2, le=3, description="tiles along each axis; in 3D 2 alone")
    orders: int = Field(64, ge=2, le=1000, description="most orders of the tiles to tell apart")
    gap: int = Field(2, ge=0, le=64, description="voxels between tiles, so that edges do not tell the order")


class JigsawLearner(ClassificationLearner):
    """Encoder of each tile alone, and a head that names the order by all of them."""

    def __init__(self, shape: tuple[int, ...], config: JigsawConfig) -> None:
        count = config.tiles**config.dims
        super().__init__(shape, config, min(config.orders, factorial(count)), parts=count)

    def change(self, view: View, generator: torch.Generator) -> Classed:
        """Put tiles into another order."""
        chosen = self.config
        return jigsaw(view, generator, tiles=chosen.tiles, orders=chosen.orders, gap=chosen.gap)

    def looked_at(self, view: View) -> Tensor:
        """Return the features of all tiles (B, T * D), one behind the other."""
        values, masks = (_tiles(one, self.config.tiles) for one in (view.values, view.masks))
        return self.encoder.features(values, masks).unflatten(0, (len(view.values), -1)).flatten(1)


def _tiles(x: Tensor, count: int) -> Tensor:
    """Cut (B, C, ...) into `count` tiles along each axis: (B * T, C, ...), the first axis slowest."""
    n_axes = x.ndim - 2
    for axis in range(2, 2 + n_axes):
        x = x.unfold(axis, x.shape[axis] // count, x.shape[axis] // count)
        x = x.narrow(axis, 0, count)
    places, voxels = range(2, 2 + n_axes), range(2 + n_axes, 2 + 2 * n_axes)
    return x.permute(0, *places, 1, *voxels).flatten(0, n_axes).contiguous()


@register(
    "jigsaw",
    family="classification",
    dims=(2, 3),
    paper="Noroozi and Favaro, Unsupervised learning of visual representations by solving jigsaw puzzles, "
    "ECCV 2016, arXiv:1603.09246; in 3D Taleb et al., NeurIPS 2020, arXiv:2006.03829",
    limit="In scans that all lie alike the outline of a tile tells its place, whatever is inside.",
)
class Jigsaw(SelfSupervised):
    """Items are cut into tiles and put into another order, which is to be named.

    Each tile is encoded alone, and the head sees the features of all of them.

    Parameters
    ----------
    config : JigsawConfig, optional
        Parameters of the method, listed by `help(Jigsaw.Config)`; the defaults if not given.

    Attributes
    ----------
    learner_ : JigsawLearner
        The trained networks.
    trained_ : Trained
        How the training ended, and the collapse that its figures show, if any.
    encoder_ : Encoder
        The trained encoder.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.selfsupervised import Jigsaw, Scans
    >>> images = Scans.of_arrays(np.random.default_rng(0).random((8, 16, 16)))
    >>> method = Jigsaw(Jigsaw.Config(epochs=1, batch_size=4)).fit(images)
    >>> method.features(images.values).shape == (8, method.encoder_.n_features)
    True
    """

    Config = JigsawConfig
    learner_: JigsawLearner

    def build(self, shape: tuple[int, ...]) -> JigsawLearner:
        """Make encoder and head."""
        return JigsawLearner(shape, self.config)
