"""Networks that learn a task from the same batches and differ in their encoders: what all tasks share."""

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import Any, Literal, Self, get_args

import torch
from numpy.typing import NDArray
from pydantic import Field
from torch import nn

from medunsup.core.errors import InputError
from medunsup.nn.encoder import Encoder, make_encoder
from medunsup.selfsupervised.augmentations.presets import Augmentations
from medunsup.training.as_many import AsMany
from medunsup.training.datasets import Dataset
from medunsup.training.estimator import Estimator, EstimatorConfig, known_of
from medunsup.training.learner import Batch, Learner, Loss, Objective
from medunsup.training.optimizers import AdamW, Cosine
from medunsup.training.patches import Patches
from medunsup.training.scan_stack import Scans
from medunsup.training.transforms import TransformOrMany

Weights = Mapping[str, NDArray[Any]]  # by name
Arm = Literal["finetuned", "frozen", "scratch"]

ARMS: tuple[Arm, ...] = get_args(Arm)
LAST = "last."  # what the weights of a decoder's last layer begin with: its classes are the task's own
MOVES = Augmentations(crop=0.5, crop_least=0.6, rotation=0.5, degrees=15)
LOOKS = Augmentations(noise=0.2, noise_sd=0.1, intensity=0.5)


class TaskConfig(EstimatorConfig):
    """Parameters of fine-tuning, for any task."""

    dims: Literal[2, 3] = Field(2, description="dimensions of the encoder; taken from it")
    epochs: int = Field(1, ge=1, description="passes over the training scans; follows from `steps`")
    steps: int = Field(
        1000, ge=1, description="optimisation steps of each network, rounded up to whole epochs"
    )
    batch_size: int = Field(8, ge=1, description="slices, volumes or patches in each step")
    learning_rate: float = Field(3e-3, gt=0, description="largest step size of AdamW")
    encoder_share: float = Field(
        0.1, gt=0, le=1, description="share of the step size at which a pretrained encoder is fine-tuned"
    )
    weight_decay: float = Field(0.01, ge=0, description="weight decay of AdamW; biases and norms have none")
    warmup: float = Field(
        0.1, ge=0, lt=1, description="share of the steps in which the step size rises, before it falls"
    )
    patch: tuple[int, ...] | None = Field(
        None, description="sides in voxels of random patches, one a dimension; without it whole images"
    )
    patches_per_scan: int = Field(8, ge=1, description="patches of each scan in an epoch")
    augment: bool = Field(True, description="turn, enlarge and change the look of images at random")


class TaskLearner(Learner):
    """Networks for one task, alike but for their encoders: fine-tuned, frozen, from scratch.

    All see the same items, in the same views. `network` puts layers behind an encoder, which it keeps by that
    name; all start with the same ones, unless pretraining hands over a `decoder`: its weights by name, which
    the networks that are not from scratch start with, but for their last layer.
    """

    def __init__(
        self,
        config: TaskConfig,
        pretrained: Encoder,
        network: Callable[[Encoder], nn.Module],
        arms: Sequence[Arm],
        decoder: Weights | None = None,
    ) -> None:
        super().__init__()
        self.config = config
        random = make_encoder(
            pretrained.method_name,
            pretrained.config.model_dump(),
            dims=pretrained.dims,
            channels=pretrained.channels,
        )
        start = network(random)
        self.arms = nn.ModuleDict({arm: deepcopy(start) for arm in arms})
        for arm in arms:
            if arm != "scratch":
                self.encoder(arm).load_state_dict(pretrained.state_dict())
                if decoder is not None:
                    take_decoder(self.network(arm).get_submodule("decoder"), decoder)

    @abstractmethod
    def loss_of(self, arm: Arm, batch: Batch) -> Loss:
        """Return the loss of one network, a mean over items."""

    def network(self, arm: Arm) -> nn.Module:
        """Return one of the networks."""
        return self.arms[arm]

    def encoder(self, arm: Arm) -> Encoder:
        """Return the encoder of one of the networks."""
        found = self.network(arm).encoder
        assert isinstance(found, Encoder)
        return found

    def objectives(self) -> Sequence[Objective]:
        """Return one objective a network; of the frozen one only what lies behind the encoder learns."""
        config = self.config
        return [
            Objective(
                arm,
                partial(self._learned, arm),
                partial(self._loss, arm),
                AdamW(config.learning_rate),
                Cosine(config.warmup),
                config.weight_decay,
                slow=self.encoder(arm).parameters if arm == "finetuned" else tuple,
                slow_share=config.encoder_share,
            )
            for arm in ARMS
            if arm in self.arms
        ]

    def _learned(self, arm: Arm) -> Iterable[nn.Parameter]:
        named = self.network(arm).named_parameters()
        return [one for name, one in named if arm != "frozen" or not name.startswith("encoder.")]

    def _loss(self, arm: Arm, batch: Batch, generator: torch.Generator) -> Loss:
        return self.loss_of(arm, batch)


class Task(Estimator):
    """Base of what an encoder is fine-tuned for, beside the same with a frozen and a random encoder.

    A subclass gives `build`, which makes its networks as one `TaskLearner`. With `items` each epoch has that
    many, however few or many the scans are. `decoder` are weights by name that segmentation may start with.
    """

    config: TaskConfig
    learner_: TaskLearner

    def __init__(
        self,
        config: TaskConfig,
        pretrained: Encoder,
        *,
        classes: int,
        arms: Sequence[Arm] = ARMS,
        items: int | None = None,
        decoder: Weights | None = None,
    ) -> None:
        super().__init__(config.model_copy(update={"dims": pretrained.dims}))
        self.pretrained, self.classes, self.arms, self.items = pretrained, classes, tuple(arms), items
        self.decoder = decoder

    def dataset(self, scans: Scans, transform: TransformOrMany = None) -> Dataset:
        """Make what batches are taken from; an encoder of one size of images takes patches of that size."""
        found, items = self._plain(scans, transform), self.items
        return found if items in (None, _length(found)) else AsMany(found, items)

    def with_steps(self, scans: Scans) -> Self:
        """Return this with as many epochs over `scans`, or as much of one, as make the number of steps.

        Fitted to some of them it takes as many steps, with batches as large.
        """
        steps, size = self.config.steps, self.config.batch_size
        items = min(_length(self._plain(scans)), steps * size)
        batches = max(1, items // min(size, items))
        return self._like(self.config.model_copy(update={"epochs": -(-steps // batches)}), items)

    def with_seed(self, seed: int) -> Self:
        """Return this with another seed."""
        return self._like(self.config.model_copy(update={"seed": seed}), self.items)

    def _like(self, config: TaskConfig, items: int | None) -> Self:
        more: Any = {"classes": self.classes, "arms": self.arms, "items": items, "decoder": self.decoder}
        return type(self)(config, self.pretrained, **more)

    def _plain(self, scans: Scans, transform: TransformOrMany = None) -> Dataset:
        size = self._patch(scans)
        if size is None:
            return super().dataset(scans, transform)
        return Patches(
            scans.values,
            scans.masks,
            size=size,
            per_scan=self.config.patches_per_scan,
            transform=transform,
            **known_of(scans),
        )

    def _patch(self, scans: Scans) -> tuple[int, ...] | None:
        """Return the sides of patches, if any are taken: as asked for, or as the encoder needs them."""
        if self.config.patch is not None:
            return tuple(self.config.patch)
        needed: Any = getattr(self.pretrained, "sides", None)
        whole = scans.shape[1 : 1 + self.config.dims]
        return None if needed is None or tuple(needed) == whole else tuple(needed)


def take_decoder(decoder: nn.Module, weights: Weights) -> None:
    """Fill a `SkipDecoder` with another's weights, but for its last layer.

    Raises InputError unless names and shapes are the same.
    """
    held = {name: torch.tensor(value) for name, value in weights.items() if not name.startswith(LAST)}
    own = {name: value for name, value in decoder.state_dict().items() if name.startswith(LAST)}
    try:
        decoder.load_state_dict({**own, **held})
    except RuntimeError as error:
        said = " ".join(str(error).split())[:200]
        raise InputError(f"The pretrained decoder does not fit this network ({said}).") from error


def _length(dataset: Dataset) -> int:
    """Count the items of an epoch."""
    return len(dataset.order(0, 0))
