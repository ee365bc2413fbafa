"""What the loop trains: networks, and whose turn it is to be improved by which loss."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Batch:
    """`values` (B, C, H, W) or (B, C, I, J, K) float32, `masks` (B, 1, ...) bool, `scans` (B,) positions."""

    values: Tensor
    masks: Tensor
    scans: Tensor

    def to(self, device: torch.device) -> "Batch":
        """Move to a device."""
        return Batch(self.values.to(device), self.masks.to(device), self.scans)


@dataclass(frozen=True)
class Loss:
    """`total` is what is minimised; `terms` are its parts by name, detached, for the log."""

    total: Tensor
    terms: dict[str, Tensor]


@dataclass(frozen=True)
class Turn:
    """One step of one optimiser: `parameters` improved by `loss(batch, generator)`.

    `every` 5 takes the turn at each fifth batch only. All randomness comes from the generator, so that a
    resumed run goes on as if it had not been broken.
    """

    name: str
    parameters: Callable[[], Iterable[nn.Parameter]]
    loss: Callable[[Batch, torch.Generator], Loss]
    learning_rate: float
    betas: tuple[float, float] = (0.9, 0.999)
    every: int = 1


class Learner(nn.Module, ABC):
    """All networks of one method as one module; every state lies in parameters and buffers."""

    @abstractmethod
    def turns(self) -> Sequence[Turn]:
        """Return all turns a batch may have, always the same ones in the same order."""

    def is_due(self, turn: Turn, progress: float) -> bool:
        """Whether a turn is taken at `progress`, in [0, 1) over all epochs; stages are made here."""
        return True

    def after_step(self) -> None:
        """Update what no gradient reaches, such as moving averages; called once a batch."""

    def validate(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """Return what early stopping watches, lower is better: the first turn's loss, unless overridden.

        It watches only while the first turn is due, so a last stage's turn goes first.
        Called without gradients; a loss that needs them itself enters `torch.enable_grad()`.
        """
        return self.turns()[0].loss(batch, generator).total
