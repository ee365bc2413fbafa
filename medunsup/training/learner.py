"""What the loop trains: networks, and the objectives that improve them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from medunsup.training.optimizers import Constant, Optimizer, Schedule

BATCH_NORM = ("running_mean", "running_var", "num_batches_tracked")

Embeddings = tuple[Tensor, ...]
Sharing = Literal["first", "mean", "same"]


@dataclass(frozen=True)
class View:
    """Items as one augmentation shows them: `values` (B, C, ...) float32, `masks` (B, 1, ...) bool."""

    values: Tensor
    masks: Tensor


@dataclass(frozen=True)
class Batch:
    """`values` (B, C, H, W) or (B, C, I, J, K) float32, `masks` (B, 1, ...) bool, `scans` (B,) positions.

    These are the first view; `further` views of the same items follow, each of its own size. `owners` (B,)
    number the subjects whose the scans are, where a subject has several.
    `covariates` (B, P) float32 are what else is known of the scans, if anything is; `labels` (B,) int64 their
    classes, -1 where none is known.
    """

    values: Tensor
    masks: Tensor
    scans: Tensor
    further: tuple[View, ...] = ()
    owners: Tensor | None = None
    covariates: Tensor | None = None
    labels: Tensor | None = None

    @classmethod
    def of_views(cls, views: Sequence[View], scans: Tensor) -> "Batch":
        """Make a batch of one or many views of the same items."""
        first, *further = views
        return cls(first.values, first.masks, scans, tuple(further))

    @property
    def subjects(self) -> Tensor:
        """Whose each item is (B,): equal numbers for items of one subject, which are no negatives."""
        return self.scans if self.owners is None else self.owners

    def shown_as(self, views: Sequence[View]) -> "Batch":
        """Return the same items in other views."""
        first, *further = views
        return replace(self, values=first.values, masks=first.masks, further=tuple(further))

    @property
    def views(self) -> tuple[View, ...]:
        """All views of the items, one or many."""
        return (View(self.values, self.masks), *self.further)

    def __len__(self) -> int:
        return len(self.values)

    def each(self, change: Callable[[Tensor], Tensor]) -> "Batch":
        """Change the tensors of all views; what is known of the scans stays on the CPU."""
        return self.shown_as([View(change(view.values), change(view.masks)) for view in self.views])

    def split(self, size: int) -> "list[Batch]":
        """Cut into batches of at most so many items."""
        starts = range(0, len(self), size)
        return [self._rows(slice(start, start + size)) for start in starts]

    def _rows(self, rows: slice) -> "Batch":
        known = {"owners": self.owners, "covariates": self.covariates, "labels": self.labels}
        own: dict[str, Any] = {name: None if one is None else one[rows] for name, one in known.items()}
        views = self.each(lambda tensor: tensor[rows])
        return replace(views, scans=self.scans[rows], **own)

    def to(self, device: torch.device) -> "Batch":
        """Move to a device."""
        return self.each(lambda tensor: tensor.to(device))


@dataclass(frozen=True)
class Loss:
    """`total` is what is minimised; `terms` are its parts by name, detached, for the log."""

    total: Tensor
    terms: dict[str, Tensor]


@dataclass(frozen=True)
class Objective:
    """One step of one optimiser: `parameters` improved by `loss`.

    Without `embed` the loss is `loss(batch, generator)`, a mean over items, so that a batch can be worked off
    in pieces, each on its own. With it the objective is joint: `embed(batch, generator)` gives tensors
    (B, ...) for each piece, and `loss(embeddings, generator)` sees those of the whole batch, in its order,
    however it was split into pieces and processes; the gradient goes through all of them.

    `every` 5 takes the objective at each fifth batch only. `schedule(step, steps)` is a factor of the
    learning rate. `weight_decay` leaves out biases and norms unless `decay_all`. Those of the parameters that
    are `slow` as well learn at `slow_share` of the rate. All randomness comes from
    the generator, so that a resumed run goes on as if it had not been broken.
    """

    name: str
    parameters: Callable[[], Iterable[nn.Parameter]]
    loss: Callable[[Any, torch.Generator], Loss]
    optimizer: Optimizer
    schedule: Schedule = field(default_factory=Constant)
    weight_decay: float = 0.0
    decay_all: bool = False
    every: int = 1
    slow: Callable[[], Iterable[nn.Parameter]] = tuple
    slow_share: float = 0.1
    embed: Callable[[Batch, torch.Generator], Embeddings] | None = None

    @property
    def joint(self) -> bool:
        """Whether the loss sees the whole batch at once."""
        return self.embed is not None

    def whole_loss(self, batch: Batch, generator: torch.Generator) -> Loss:
        """Loss of a batch that is all there is, joint or not."""
        return self.loss(batch if self.embed is None else self.embed(batch, generator), generator)


@dataclass(frozen=True)
class StepProgress:
    """How far a run is: `step` batches of `steps` are done, in epoch `epoch` of `epochs`, both from 1."""

    step: int
    steps: int
    epoch: int
    epochs: int

    @property
    def fraction(self) -> float:
        """Share of the run that is done, in (0, 1]."""
        return self.step / self.steps


class Learner(nn.Module, ABC):
    """All networks of one method as one module; every state lies in parameters and buffers."""

    @abstractmethod
    def objectives(self) -> Sequence[Objective]:
        """Return all objectives a batch may have, always the same ones in the same order."""

    def is_due(self, objective: Objective, progress: float) -> bool:
        """Whether an objective is taken at `progress`, in [0, 1) over all epochs; stages are made here."""
        return True

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Make the views of a batch on the learner's device; called once a batch, without gradients.

        In training and in validation alike, always in full precision. Views that a dataset's transforms made
        are there already.
        """
        return batch

    def after_step(self, progress: StepProgress) -> None:
        """Update what no gradient reaches, such as moving averages: once a batch, without gradients."""

    def sharing(self, buffer: str) -> Sharing:
        """How several processes keep a buffer of the state alike.

        "first": after each batch all take over the first process's. "mean": each piece of a batch starts from
        the same values, and what the pieces make of them is averaged, in one process and in several.
        "same": every process makes the same of it anyway, as in `after_step` and in a joint loss; nothing is
        sent, which is worth it for a long queue. Running statistics of batch norms are averaged.
        """
        return "mean" if buffer.endswith(BATCH_NORM) else "first"

    def validate(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return what early stopping watches, lower is better: the first objective's loss, unless overridden.

        It watches only while the first objective is due, so a last stage's objective goes first.
        Called without gradients; a loss that needs them itself enters `torch.enable_grad()`.
        """
        return self.objectives()[0].whole_loss(batch, generator).total

    def measure(self, batch: Batch, generator: torch.Generator) -> Mapping[str, float]:
        """Return figures of the same items each time, for the log: before the first step and once an epoch.

        Called in evaluation mode and without gradients, with the same random numbers each time.
        """
        return {}

    def score(self, figures: Mapping[str, Any]) -> float | None:
        """Return what the weights of an epoch are worth, higher is better; None if they are not to be kept.

        `figures` holds "epoch" and what `measure` returned; `Training(keep="score")` asks.
        """
        return None

    def verdict(self, history: Sequence[Mapping[str, Any]]) -> str:
        """Say what the figures of all epochs so far show to be wrong; nothing if all is well.

        Each row holds "epoch", that before the first step with 0, the losses, "validation", and what
        `measure` returned.
        """
        return ""
