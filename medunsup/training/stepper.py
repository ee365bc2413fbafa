"""One batch: every objective that is due computes its gradient, over all pieces and processes, and steps."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import is_dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from medunsup.core.errors import StepError
from medunsup.training.feed import Piece, Work
from medunsup.training.joint import joint_gradient
from medunsup.training.learner import Learner, Loss, Objective, StepProgress
from medunsup.training.optimizers import groups_of
from medunsup.training.seeds import Use, seeded
from medunsup.training.sharing import SharedBuffers


class Stepper:
    """Owns the optimisers of a learner; `parts` is in how many pieces a batch is worked off.

    Each piece has its own random numbers, which follow from the seed, the step and the piece alone. So a
    resumed run draws what an unbroken one draws, and the pieces may lie on any number of processes.
    """

    def __init__(self, fabric: Any, learner: Learner, *, seed: int, parts: int) -> None:
        self._fabric, self._learner = fabric, learner
        self._seed, self._parts = seed, parts
        self._objectives = list(learner.objectives())
        self._parameters = [list(objective.parameters()) for objective in self._objectives]
        self._plain = [
            objective.optimizer.make(_groups(objective, parameters))
            for objective, parameters in zip(self._objectives, self._parameters, strict=True)
        ]
        self._optimizers = [fabric.setup_optimizers(optimizer) for optimizer in self._plain]
        self._augments = type(learner).augment is not Learner.augment
        self._buffers = SharedBuffers(fabric, learner, apart=parts > 1)

    def take(
        self, work: Work, progress: StepProgress, names_of: Callable[[Any], Sequence[str]]
    ) -> dict[str, Tensor]:
        """Take all objectives due, which makes `progress`; return each loss by name, and the terms of all.

        Raises StepError naming the scans if a loss is not finite.
        """
        step = progress.step - 1
        if self._augments:
            work = replace(work, pieces=tuple(self._augmented(piece, step) for piece in work.pieces))
        terms: dict[str, Tensor] = {}
        for number, objective in enumerate(self._objectives):
            if step % objective.every == 0 and self._learner.is_due(objective, step / progress.steps):
                with _only(self._learner, self._parameters[number], active=len(self._objectives) > 1):
                    found = self._gradient(number, work, step)
                if not torch.isfinite(found[objective.name]):
                    raise StepError(_not_finite(objective, names_of(work.items), step))
                self._step(number, objective.schedule(step, progress.steps))
                terms |= found
        with torch.no_grad():
            self._learner.after_step(progress)
        self._buffers.send_first()
        return terms

    def described(self) -> dict[str, str]:
        """Say by name how each objective steps, to know the same run again."""
        return {objective.name: _described(objective) for objective in self._objectives}

    def state(self) -> list[dict[str, Any]]:
        """State of all optimisers."""
        return [optimizer.state_dict() for optimizer in self._optimizers]

    def load_state(self, states: Sequence[dict[str, Any]]) -> None:
        """Take over what `state` gave."""
        for optimizer, state in zip(self._optimizers, states, strict=True):
            optimizer.load_state_dict(state)

    def _augmented(self, piece: Piece, step: int) -> Piece:
        generator = seeded(self._fabric.device, self._seed, step, piece.number, use=Use.AUGMENT)
        with torch.no_grad():
            return replace(piece, batch=self._learner.augment(piece.batch, generator))

    def _step(self, number: int, factor: float) -> None:
        for group in self._plain[number].param_groups:
            share = group.get("share", 1.0)
            group["lr"] = factor * share * self._objectives[number].optimizer.learning_rate
        self._optimizers[number].step()

    def _gradient(self, number: int, work: Work, step: int) -> dict[str, Tensor]:
        """Gradient of one objective over all pieces of all processes; returns the loss and its terms."""
        objective, parameters = self._objectives[number], self._parameters[number]
        self._optimizers[number].zero_grad()
        with self._buffers.averaged():
            sums = (self._joint if objective.joint else self._piecewise)(number, work, step)
        if self._fabric.world_size > 1:
            _add_up([p.grad for p in parameters if p.grad is not None], self._fabric)
            if not objective.joint:
                _add_up(list(sums.values()), self._fabric)
        return sums

    def _piecewise(self, number: int, work: Work, step: int) -> dict[str, Tensor]:
        """Gradient of the own pieces, each by its own loss."""
        objective, sums = self._objectives[number], dict[str, Tensor]()
        for piece in work.pieces:
            self._buffers.restart()
            generator = self._seeded(step, piece.number, number)
            with self._fabric.autocast():
                loss = objective.loss(piece.batch, generator)
            self._fabric.backward(piece.share * loss.total)
            self._buffers.add(piece.share)
            for name, value in _named(objective, loss).items():
                sums[name] = sums.get(name, 0.0) + piece.share * value
        return sums

    def _joint(self, number: int, work: Work, step: int) -> dict[str, Tensor]:
        """Gradient of the own pieces by the loss of the whole batch."""
        objective = self._objectives[number]
        loss = joint_gradient(
            self._fabric,
            objective,
            work.pieces,
            len(work.items),
            seeded=lambda piece: self._seeded(step, piece, number),
            last=self._parts,
            buffers=self._buffers,
        )
        return _named(objective, loss)

    def _seeded(self, step: int, piece: int, number: int) -> torch.Generator:
        return seeded(self._fabric.device, self._seed, step, piece, number)


def _groups(objective: Objective, parameters: Sequence[nn.Parameter]) -> list[dict[str, Any]]:
    """Group parameters by weight decay, and those that are slow apart from the others."""
    slow = {id(parameter) for parameter in objective.slow()}
    found = []
    for share, wanted in ((1.0, False), (objective.slow_share, True)):
        chosen = [parameter for parameter in parameters if (id(parameter) in slow) == wanted]
        groups = groups_of(chosen, objective.weight_decay, decay_all=objective.decay_all) if chosen else []
        found += [{**group, "share": share} if wanted else group for group in groups]
    return found


def _described(objective: Objective) -> str:
    schedule = objective.schedule
    named = schedule if is_dataclass(schedule) else getattr(schedule, "__qualname__", type(schedule).__name__)
    decay = f"weight decay {objective.weight_decay}{' of all' if objective.decay_all else ''}"
    slow = f", {objective.slow_share} of the rate for some" if any(True for _ in objective.slow()) else ""
    return f"{objective.optimizer}, {named}, {decay}, every {objective.every}{slow}"


def _named(objective: Objective, loss: Loss) -> dict[str, Tensor]:
    return {**loss.terms, objective.name: loss.total.detach()}


@contextmanager
def _only(learner: nn.Module, parameters: Sequence[nn.Parameter], *, active: bool) -> Iterator[None]:
    """Compute gradients for these parameters alone: what another objective trains needs none now."""
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


def _not_finite(objective: Objective, names: Sequence[str], step: int) -> str:
    return (
        f"The {objective.name} loss is not finite at batch {step + 1}, of scans {', '.join(names)}. "
        "Look at these scans, or give a lower learning_rate. A checkpoint from before is kept."
    )
