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
    """A model whose networks are one `Learner`; subclasses give `build`, and what else they offer."""

    Config: ClassVar[type[DeepConfig]]
    config: Any
    learner_: Learner
    trained_: Trained

    @abstractmethod
    def build(self, shape: tuple[int, ...]) -> Learner:
        """Make the networks for inputs of `shape`, (C, H, W) or (C, I, J, K)."""

    def fit(self, scans: Scans, *, validation: Scans | None = None, training: Training | None = None) -> Self:
        """Train; see `AnomalyModel.fit`. Raises UsageError if the lattice does not fit the levels."""
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
        """Return all parameters and buffers by name."""
        state = self.learner_.state_dict()
        return {name: value.detach().cpu().contiguous().numpy() for name, value in state.items()}

    def load_state(self, state: Mapping[str, NDArray[Any]], shape: tuple[int, int, int, int]) -> Self:
        """Build the networks and fill them."""
        self.learner_ = self._build(shape)
        self.learner_.load_state_dict(
            {name: torch.from_numpy(np.array(value)) for name, value in state.items()}
        )
        return self

    def apply(self, function: Callable[[Tensor, Tensor], Tensor], values: Array, mask: Mask) -> Array:
        """Run `function(values, mask)` over the whole scan, or its slices that reach into the mask.

        It is given (B, C, ...) and (B, 1, ...) on the learner's device, without gradients, in evaluation
        mode. What it returns per voxel, (B, C', ...), comes back as (C', I, J, K), 0 in other slices; what it
        returns per input, (B, D), as (B, D).

        Raises InputError if the mask is empty.
        """
        check_mask(mask, self.method_name)
        self.learner_.eval()
        with torch.no_grad():
            parts = [function(x, inside).cpu() for x, inside in self._inputs(values, mask)]
        return self._lay_back(torch.cat(parts), mask)

    def drawn(self, draw: Draw, values: Array, mask: Mask, *, n: int, seed: int) -> Array:
        """Apply a function that draws at random, as `apply` does, `n` times: (n, C, I, J, K)."""
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
