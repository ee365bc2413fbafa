"""What is learned from a stack of scans by one `Learner`, whatever it is for: config, fit, state."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import Tensor
from torch.nn.utils import convert_conv2d_weight_memory_format

from medunsup.core.config import Config
from medunsup.core.errors import InputError
from medunsup.training.datasets import Dataset, Slices, Volumes
from medunsup.training.learner import Learner
from medunsup.training.loop import Trained, Training, train
from medunsup.training.scan_stack import Array, Mask, Scans
from medunsup.training.transforms import TransformOrMany, views_of

SLICES_AT_ONCE = 32

State = dict[str, NDArray[Any]]
Shape = tuple[int, int, int, int]


class EstimatorConfig(Config):
    """Parameters that all estimators share."""

    dims: Literal[2, 3] = Field(
        2, description="2 learns from axial slices, 3 from whole volumes on the template grid"
    )
    epochs: int = Field(30, ge=1, description="passes over the training scans")
    batch_size: int = Field(16, ge=1, description="slices or volumes in each optimisation step")
    learning_rate: float = Field(1e-3, gt=0, description="step size of Adam")
    seed: int = Field(
        0, ge=0, description="seed of the weights, the order of the scans and every random choice"
    )


class Estimator(ABC):
    """Base of what is learned by networks, trained on slices or volumes by the one training loop.

    A subclass gives `build`, which makes its networks as one `Learner`, and says what may be asked of them.
    Weights, order and every draw follow from the config's seed.

    Parameters
    ----------
    config : EstimatorConfig, optional
        Parameters, an instance of the class's `Config`; the defaults if not given.

    Attributes
    ----------
    learner_ : Learner
        The trained networks.
    trained_ : Trained
        How the training ended. Not there where the state was read from a file.
    """

    Config: ClassVar[type[Config]]
    method_name: ClassVar[str]
    config: Any
    learner_: Learner
    trained_: Trained

    def __init__(self, config: Any = None) -> None:
        self.config = config or self.Config()

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

    def check_shape(self, shape: tuple[int, ...]) -> None:  # noqa: B027
        """Check that networks can be made for such inputs; a subclass raises UsageError if not.

        Parameters
        ----------
        shape : tuple of int
            Shape of an input: (C, H, W) for slices, (C, I, J, K) for volumes.
        """

    def check_items(self, dataset: Dataset) -> None:  # noqa: B027
        """Check that there are enough items; a subclass raises UsageError if not.

        Parameters
        ----------
        dataset : Dataset
            What is learned from.
        """

    def dataset(self, scans: Scans, transform: TransformOrMany = None) -> Dataset:
        """Make what batches are taken from: slices or volumes, unless overridden.

        Parameters
        ----------
        scans : Scans
            Scans on one grid.
        transform : callable or list of callables, optional
            Changes each item as it is taken; a list makes one view each.

        Returns
        -------
        Dataset
            Items of the scans.
        """
        kind = Volumes if self.config.dims == 3 else Slices
        return kind(scans.values, scans.masks, transform=transform, **known_of(scans))

    def fit(self, scans: Scans, *, validation: Scans | None = None, training: Training | None = None) -> Self:
        """Train the networks.

        Parameters
        ----------
        scans : Scans
            Scans on one grid, healthy ones for an anomaly model.
        validation : Scans, optional
            Such scans that decide when to stop early. They are seen unchanged, or, where the training has
            several transforms, in the same views: the learner needs them.
        training : Training, optional
            Where and how a network is trained.

        Returns
        -------
        Estimator
            This estimator, fitted.

        Raises
        ------
        UsageError
            If the networks cannot be made for the sides of the grid, or a training that is in the folder is
            not to be resumed.
        StepError
            If a loss is not finite; the last good checkpoint stays.
        """
        self.learner_ = self._build(scans.shape)
        config = self.config
        training = training or Training()
        data = self.dataset(scans, training.transform)
        self.check_items(data)
        self.trained_ = train(
            self.learner_,
            data,
            None if validation is None else self.dataset(validation, views_of(training.transform)),
            training,
            epochs=config.epochs,
            batch_size=config.batch_size,
            seed=config.seed,
            config={"model": self.method_name, **config.model_dump(mode="json")},
        )
        return self

    def state(self, part: str = "") -> State:
        """Return parameters and buffers by name.

        Parameters
        ----------
        part : str, optional
            A part of the networks, such as "encoder", whose name is left out of the names; all if not given.

        Returns
        -------
        dict of str to ndarray
            Arrays by name.
        """
        state = self.learner_.state_dict()
        return {
            name.removeprefix(f"{part}."): value.detach().cpu().contiguous().numpy()
            for name, value in state.items()
            if not part or name.startswith(f"{part}.")
        }

    def load_state(self, state: Mapping[str, NDArray[Any]], shape: Shape) -> Self:
        """Build the networks and fill them with what `state` gave.

        Parameters
        ----------
        state : dict of str to ndarray
            Named arrays.
        shape : tuple of int
            Channels and grid (C, I, J, K) that it was learned on.

        Returns
        -------
        Estimator
            This estimator, fitted.
        """
        self.learner_ = self._build(shape)
        self.learner_.load_state_dict(_tensors(state))
        return self

    def load_part(self, part: str, state: Mapping[str, NDArray[Any]]) -> Self:
        """Fill a part of the networks that are there with what `state(part)` gave.

        Parameters
        ----------
        part : str
            A part of the networks, such as "encoder".
        state : dict of str to ndarray
            Named arrays.

        Returns
        -------
        Estimator
            This estimator.

        Raises
        ------
        InputError
            Unless exactly the part's parameters and buffers are given, in their shapes.
        """
        try:
            self.learner_.get_submodule(part).load_state_dict(_tensors(state))
        except (AttributeError, RuntimeError) as error:
            said = " ".join(str(error).split())
            raise InputError(f"{self.method_name}: these are no weights of its {part}. {said}") from error
        return self

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.learner_.parameters()).device

    def inputs(self, values: Array, mask: Mask) -> Iterator[tuple[Tensor, Tensor]]:
        """Cut one scan into portions for the networks: all of it, or its slices that reach into the mask.

        Parameters
        ----------
        values : ndarray of shape (C, I, J, K), float32
            Prepared scan, intensities about [0, 1].
        mask : ndarray of shape (I, J, K), bool
            Brain mask.

        Yields
        ------
        tuple of Tensor
            Values (B, C, ...) and mask (B, 1, ...), on the networks' device.
        """
        x = torch.tensor(np.asarray(values, dtype=np.float32))[None]
        inside = torch.tensor(np.asarray(mask))[None, None]
        if self.config.dims == 2:
            used = used_slices(mask)
            x, inside = x[0].permute(3, 0, 1, 2)[used], inside[0].permute(3, 0, 1, 2)[used]
        for part in zip(x.split(SLICES_AT_ONCE), inside.split(SLICES_AT_ONCE), strict=True):
            yield part[0].contiguous().to(self.device), part[1].contiguous().to(self.device)

    def _build(self, shape: Shape) -> Learner:
        inputs = shape if self.config.dims == 3 else shape[:3]
        self.check_shape(inputs)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.config.seed)
            learner = self.build(inputs)
        return convert_conv2d_weight_memory_format(learner, torch.channels_last)  # faster in two dimensions


def known_of(scans: Scans) -> dict[str, Any]:
    """Return what a dataset is told of scans beside their values and masks."""
    whose = {"names": tuple(scans.names), "subjects": tuple(scans.subjects)}
    return {**whose, "covariates": scans.covariates, "labels": scans.labels}


def used_slices(mask: Mask) -> NDArray[np.intp]:
    """Positions of the axial slices that reach into a mask (I, J, K)."""
    return np.flatnonzero(mask.any(axis=(0, 1)))


def _tensors(state: Mapping[str, NDArray[Any]]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(np.array(value)) for name, value in state.items()}
