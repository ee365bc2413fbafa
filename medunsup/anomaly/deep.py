"""What deep anomaly models add to an estimator: results laid back on the template grid."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from medunsup.anomaly.base import AnomalyModel, check_mask
from medunsup.core.errors import UsageError
from medunsup.training.estimator import Estimator, EstimatorConfig, used_slices
from medunsup.training.scan_stack import Array, Mask

SAMPLE_SEED = 0

Draw = Callable[[Tensor, Tensor, torch.Generator], Tensor]


class DeepConfig(EstimatorConfig):
    """Parameters that all deep models share."""

    channels: int = Field(16, ge=2, le=256, description="features at full resolution, doubled at each level")
    levels: int = Field(
        3,
        ge=1,
        le=6,
        description="halvings of the resolution; each side of the grid must be divisible by 2 to this power",
    )


class DeepModel(Estimator, AnomalyModel):
    """Base of models that are networks, trained on slices or volumes by the one training loop.

    A subclass gives `build`, which makes its networks as one `Learner`, and what else it offers.

    Parameters
    ----------
    config : DeepConfig, optional
        Parameters of the model, an instance of its class's `Config`; the defaults if not given.

    Attributes
    ----------
    learner_ : Learner
        The trained networks.
    trained_ : Trained
        How the training ended. Not there in a model that was read from a file.

    Examples
    --------
    >>> from medunsup.anomaly import AE, DeepModel
    >>> issubclass(AE, DeepModel)
    True
    """

    Config: ClassVar[type[DeepConfig]]

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Check that the sides can be halved as often as there are levels.

        Parameters
        ----------
        shape : tuple of int
            Shape of an input: (C, H, W) for slices, (C, I, J, K) for volumes.

        Raises
        ------
        UsageError
            If they cannot.
        """
        factor = 2**self.config.levels
        if any(side % factor for side in shape[1:]):
            raise UsageError(
                f"{self.method_name}: sides {shape[1:]} cannot be halved {self.config.levels} times. "
                f"Give fewer levels, or a grid whose sides are multiples of {factor}."
            )

    def apply(self, function: Callable[[Tensor, Tensor], Tensor], values: Array, mask: Mask) -> Array:
        """Run a function over the whole scan, or its slices that reach into the mask.

        Parameters
        ----------
        function : callable
            Given values (B, C, ...) and masks (B, 1, ...) on the learner's device, without gradients, in
            evaluation mode.
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Returns
        -------
        ndarray
            What the function returns per voxel, (B, C', ...), comes back as (C', I, J, K), 0 in other slices;
            what it returns per input, (B, D), as (B, D).

        Raises
        ------
        InputError
            If the mask is empty.
        """
        check_mask(mask, self.method_name)
        self.learner_.eval()
        with torch.no_grad():
            parts = [function(x, inside).cpu() for x, inside in self.inputs(values, mask)]
        return self._lay_back(torch.cat(parts), mask)

    def drawn(self, draw: Draw, values: Array, mask: Mask, *, n: int, seed: int) -> Array:
        """Apply a function that draws at random, as `apply` does, several times.

        Parameters
        ----------
        draw : callable
            Given values, masks and a torch generator.
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.
        n : int
            Number of draws.
        seed : int
            Seed of the generator.

        Returns
        -------
        ndarray of shape (n, C, I, J, K)
            The draws.
        """
        generator = torch.Generator(self.device).manual_seed(seed)

        def look(x: Tensor, inside: Tensor) -> Tensor:
            return draw(x, inside, generator)

        return np.stack([self.apply(look, values, mask) for _ in range(n)])

    def _lay_back(self, out: Tensor, mask: Mask) -> Array:
        if out.ndim == 2:
            return out.numpy()
        if self.config.dims == 3:
            return out[0].numpy()
        laid = np.zeros((out.shape[1], *mask.shape), np.float32)
        laid[..., used_slices(mask)] = np.moveaxis(out.numpy(), 0, -1)
        return laid
