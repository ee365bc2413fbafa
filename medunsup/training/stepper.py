"""One batch: every turn that is due computes its gradient, over all parts and processes, and steps."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from medunsup.core.errors import StepError
from medunsup.training.datasets import Positions, View
from medunsup.training.learner import Batch, Learner, Turn

DRAWS = 1


class Stepper:
    """Owns the optimisers of a learner; `parts` is in how many pieces a batch is worked off.

    Each piece has its own random numbers, which follow from the seed, the step and the piece alone. So a
    resumed run draws what an unbroken one draws, and the pieces may lie on any number of processes.
    """

    def __init__(self, fabric: Any, learner: Learner, *, seed: int, parts: int) -> None:
        self._fabric, self._learner = fabric, learner
        self._seed, self._parts = seed, parts
        self._turns = list(learner.turns())
        self._parameters = [list(turn.parameters()) for turn in self._turns]
        self._optimizers = [
            fabric.setup_optimizers(torch.optim.Adam(parameters, lr=turn.learning_rate, betas=turn.betas))
            for turn, parameters in zip(self._turns, self._parameters, strict=True)
        ]

    def take(self, view: View, items: Positions, step: int, steps: int) -> dict[str, Tensor]:
        """Take all turns due at `step`; return each turn's loss under its name, and the terms of all.

        Raises StepError naming the scans if a loss is not finite.
        """
        parts = self._share(view, items, step)
        terms: dict[str, Tensor] = {}
        for number, turn in enumerate(self._turns):
            if step % turn.every == 0 and self._learner.is_due(turn, step / steps):
                with _only(self._learner, self._parameters[number], active=len(self._turns) > 1):
                    found = self._turn(number, parts, step)
                if not torch.isfinite(found[turn.name]):
                    raise StepError(_not_finite(turn, view.names_of(items), step))
                self._optimizers[number].step()
                terms |= found
        self._learner.after_step()
        return terms

    def state(self) -> list[dict[str, Any]]:
        """State of all optimisers."""
        return [optimizer.state_dict() for optimizer in self._optimizers]

    def load_state(self, states: Sequence[dict[str, Any]]) -> None:
        """Take over what `state` gave."""
        for optimizer, state in zip(self._optimizers, states, strict=True):
            optimizer.load_state_dict(state)

    def _share(self, view: View, items: Positions, step: int) -> dict[int, tuple[Batch, float]]:
        """Gather the pieces of a batch that fall to this process, by number, each with its share of it."""
        pieces = np.array_split(items, self._parts)
        mine = range(self._fabric.global_rank, self._parts, self._fabric.world_size)
        return {
            n: (
                view.batch(pieces[n], draw(self._seed, step, n)).to(self._fabric.device),
                len(pieces[n]) / len(items),
            )
            for n in mine
        }

    def _turn(self, number: int, parts: dict[int, tuple[Batch, float]], step: int) -> dict[str, Tensor]:
        """Gradient of one turn over all pieces of all processes; returns the loss and its terms."""
        turn, optimizer = self._turns[number], self._optimizers[number]
        optimizer.zero_grad()
        sums: dict[str, Tensor] = {}
        for n, (batch, share) in parts.items():
            generator = seeded(self._fabric.device, self._seed, step, n, number)
            with self._fabric.autocast():
                loss = turn.loss(batch, generator)
            self._fabric.backward(share * loss.total)
            for name, value in {**loss.terms, turn.name: loss.total.detach()}.items():
                sums[name] = sums.get(name, 0.0) + share * value
        if self._fabric.world_size > 1:
            _add_up([p.grad for p in self._parameters[number] if p.grad is not None], self._fabric)
            _add_up(list(sums.values()), self._fabric)
        return sums


def draw(*key: int) -> int:
    """Draw a seed that follows from a key of whole numbers alone."""
    return int(np.random.SeedSequence((DRAWS, *key)).generate_state(1, np.uint64)[0] >> 1)


def seeded(device: torch.device, *key: int) -> torch.Generator:
    """Make a generator that follows from a key, and set torch's own, which dropout uses, to the same seed."""
    seed = draw(*key)
    torch.default_generator.manual_seed(seed)  # torch.manual_seed does this and formats a stack trace
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    return torch.Generator(device).manual_seed(seed)


@contextmanager
def _only(learner: nn.Module, parameters: Sequence[nn.Parameter], *, active: bool) -> Iterator[None]:
    """Compute gradients for these parameters alone: what another turn trains needs none now."""
    chosen = {id(parameter) for parameter in parameters}
    frozen = [p for p in learner.parameters() if p.requires_grad and id(p) not in chosen] if active else []
    for parameter in frozen:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(True)


def _add_up(tensors: Sequence[Tensor], fabric: Any) -> None:
    """Replace tensors by their sums over all processes, in one exchange."""
    flat = fabric.all_reduce(torch.cat([tensor.flatten().float() for tensor in tensors]), reduce_op="sum")
    for tensor, total in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(total.view_as(tensor))


def _not_finite(turn: Turn, names: Sequence[str], step: int) -> str:
    return (
        f"The {turn.name} loss is not finite at batch {step + 1}, of scans {', '.join(names)}. "
        "Look at these scans, or give a lower learning_rate. A checkpoint from before is kept."
    )
