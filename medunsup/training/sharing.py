"""State that no gradient reaches, kept alike in all pieces of a batch and all processes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from medunsup.training.learner import Learner


class SharedBuffers:
    """The buffers of a learner's state, treated as its `sharing` says; `apart` is false for a whole batch."""

    def __init__(self, fabric: Any, learner: Learner, *, apart: bool) -> None:
        self._fabric, self._learner = fabric, learner
        stored = learner.state_dict().keys()
        ways = {name: learner.sharing(name) for name, _ in learner.named_buffers() if name in stored}
        self._all = list(ways)
        self._first = [name for name, way in ways.items() if way == "first"]
        self._mean = [name for name, way in ways.items() if way == "mean"] if apart else []
        self._before: list[Tensor] = []
        self._sums: list[Tensor] = []

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """While pieces are worked off: end with the mean of what they made of the averaged buffers."""
        if not self._mean:
            yield
            return
        self._before = [buffer.clone() for buffer in self._named(self._mean)]
        self._sums = [torch.zeros_like(buffer, dtype=_summed(buffer)) for buffer in self._before]
        yield
        for buffer, total in zip(self._named(self._mean), self._sums, strict=True):
            mean = sum_of(self._fabric, total)
            buffer.copy_(mean if buffer.is_floating_point() else mean.round())

    def restart(self) -> None:
        """Let a piece start from the values that all pieces start from."""
        for buffer, before in zip(self._named(self._mean), self._before, strict=True):
            buffer.copy_(before)

    def add(self, share: float) -> None:
        """Count what a piece made of the averaged buffers."""
        for total, buffer in zip(self._sums, self._named(self._mean), strict=True):
            total += share * buffer

    def settle(self, share: float) -> None:
        """Go on from the mean of what was counted, of pieces of `share` in all, and count anew."""
        for total, buffer in zip(self._sums, self._named(self._mean), strict=True):
            mean = total / share
            buffer.copy_(mean if buffer.is_floating_point() else mean.round())
            total.zero_()

    def values(self) -> dict[str, Tensor]:
        """Copy all buffers by name."""
        return {name: buffer.clone() for name, buffer in zip(self._all, self._named(self._all), strict=True)}

    @contextmanager
    def again_from(self, start: Mapping[str, Tensor]) -> Iterator[None]:
        """Do once more what began at the values `start`; it leaves no trace."""
        now = self.values()
        self._put(start)
        yield
        self._put(now)

    def send_first(self) -> None:
        """Give all processes the first one's values of the other buffers."""
        if self._fabric.world_size > 1:
            for buffer in self._named(self._first):
                sent = buffer.contiguous()
                torch.distributed.broadcast(sent, src=0)
                buffer.copy_(sent)

    def _put(self, values: Mapping[str, Tensor]) -> None:
        for buffer, value in zip(self._named(list(values)), values.values(), strict=True):
            buffer.copy_(value)

    def _named(self, names: Sequence[str]) -> list[Tensor]:
        """Look buffers up by name, for a learner may have put new tensors in their places."""
        buffers = dict(self._learner.named_buffers()) if names else {}
        return [buffers[name] for name in names]


def _summed(buffer: Tensor) -> torch.dtype:
    return buffer.dtype if buffer.is_floating_point() else torch.float64


def sum_of(fabric: Any, tensor: Tensor) -> Tensor:
    """Sum of a tensor over all processes."""
    return fabric.all_reduce(tensor, reduce_op="sum") if fabric.world_size > 1 else tensor
