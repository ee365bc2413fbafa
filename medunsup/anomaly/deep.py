"""What all deep models share: slices or volumes in, the one loop, results laid back on the lattice."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn.utils import convert_conv2d_weight_memory_format

from medunsup.anomaly.base import AnomalyModel, State, check_mask
from medunsup.core.config import Config
from medunsup.core.errors import UsageError
from medunsup.training.datasets import Slices, Volumes
from medunsup.training.learner import Learner
from medunsup.training.loop import Trained, Training, train
from medunsup.training.scan_stack import Array, Mask, Scans
from medunsup.training.transforms import TransformOrMany

SLICES_AT_ONCE = 32
SAMPLE_SEED = 0

Draw = Callable[[Tensor, Tensor, torch.Generator], Tensor]


class DeepConfig(Config):
    """Parameters that all deep models share."""

    dims: Literal[2, 3] = Field(
        2, description="2 learns from axial slices, 3 from whole volumes on the template grid"
    )
    channels: int = Field(16, ge=2, le=256, description="features at full resolution, doubled at each level")
    levels: int = Field(
        3,
        ge=1,
        le=6,
        description="halvings of the resolution; each side of the grid must be divisible by 2 to this power",
    )
    epochs: int = Field(30, ge=1, description="passes over the training scans")
    batch_size: int = Field(16, ge=1, description="slices or volumes in each optimisation step")
    learning_rate: float = Field(1e-3, gt=0, description="step size of Adam")
    seed: int = Field(
        0, ge=0, description="seed of the weights, the order of the scans and every random choice"
    )


class DeepModel(AnomalyModel):
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
    config: Any
    learner_: Learner
    trained_: Trained

    @abstractmethod
    def build(self, shape: tuple[int, ...]) -> Learner:
        """Make the networks, with their loss.

        Parameters
        ----------
        shape : tuple of int
            Shape of an input: (C, H, W) for slices, (C, I, J, K) for volumes.

        Returns
        -------
        Learner
            The networks, not yet trained.
        """

    def fit(self, scans: Scans, *, validation: Scans | None = None, training: Training | None = None) -> Self:
        """Train the networks.

        Parameters
        ----------
        scans : Scans
            Healthy scans on one grid.
        validation : Scans, optional
            Healthy scans that decide when to stop early.
        training : Training, optional
            Where and how a network is trained.

        Returns
        -------
        DeepModel
            This model, fitted.

        Raises
        ------
        UsageError
            If the sides of the grid cannot be halved as often as `levels` asks for, or a training that is in
            the folder is not to be resumed.
        StepError
            If a loss is not finite; the last good checkpoint stays.
        """
        self.learner_ = self._build(scans.shape)
        config = self.config
        training = training or Training()
        self.trained_ = train(
            self.learner_,
            self._view(scans, training.transform),
            None if validation is None else self._view(validation),
            training,
            epochs=config.epochs,
            batch_size=config.batch_size,
            seed=config.seed,
            config={"model": self.method_name, **config.model_dump(mode="json")},
        )
        return self

    def state(self) -> State:
        """Return all parameters and buffers by name.

        Returns
        -------
        dict of str to ndarray
            Arrays by name.
        """
        state = self.learner_.state_dict()
        return {name: value.detach().cpu().contiguous().numpy() for name, value in state.items()}

    def load_state(self, state: Mapping[str, NDArray[Any]], shape: tuple[int, int, int, int]) -> Self:
        """Build the networks and fill them with what `state` gave.

        Parameters
        ----------
        state : dict of str to ndarray
            Named arrays.
        shape : tuple of int
            Channels and grid (C, I, J, K) that it was learned on.

        Returns
        -------
        DeepModel
            This model, fitted.
        """
        self.learner_ = self._build(shape)
        self.learner_.load_state_dict(
            {name: torch.from_numpy(np.array(value)) for name, value in state.items()}
        )
        return self

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
            parts = [function(x, inside).cpu() for x, inside in self._inputs(values, mask)]
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

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.learner_.parameters()).device

    def _inputs(self, values: Array, mask: Mask) -> Iterator[tuple[Tensor, Tensor]]:
        x = torch.tensor(np.asarray(values, dtype=np.float32))[None]
        inside = torch.tensor(np.asarray(mask))[None, None]
        if self.config.dims == 2:
            used = _used_slices(mask)
            x, inside = x[0].permute(3, 0, 1, 2)[used], inside[0].permute(3, 0, 1, 2)[used]
        for part in zip(x.split(SLICES_AT_ONCE), inside.split(SLICES_AT_ONCE), strict=True):
            yield part[0].contiguous().to(self.device), part[1].contiguous().to(self.device)

    def _lay_back(self, out: Tensor, mask: Mask) -> Array:
        if out.ndim == 2:
            return out.numpy()
        if self.config.dims == 3:
            return out[0].numpy()
        laid = np.zeros((out.shape[1], *mask.shape), np.float32)
        laid[..., _used_slices(mask)] = np.moveaxis(out.numpy(), 0, -1)
        return laid

    def _build(self, shape: tuple[int, int, int, int]) -> Learner:
        inputs = shape if self.config.dims == 3 else shape[:3]
        factor = 2**self.config.levels
        if any(side % factor for side in inputs[1:]):
            raise UsageError(
                f"{self.method_name}: sides {inputs[1:]} cannot be halved {self.config.levels} times. "
                f"Give fewer levels, or a lattice whose sides are multiples of {factor}."
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            learner = self.build(inputs)
        return convert_conv2d_weight_memory_format(learner, torch.channels_last)  # faster in two dimensions

    def _view(self, scans: Scans, transform: TransformOrMany = None) -> Slices | Volumes:
        kind = Volumes if self.config.dims == 3 else Slices
        return kind(scans.values, scans.masks, tuple(scans.names), transform=transform)


def _used_slices(mask: Mask) -> NDArray[np.intp]:
    return np.flatnonzero(mask.any(axis=(0, 1)))
