"""Transforms of single items as they are taken from a dataset, each draw seeded on its own."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from medunsup.training.learner import View

Transform = Callable[[dict[str, Any]], dict[str, Any]]
TransformOrMany = Transform | Sequence[Transform] | None


def views_of(transform: TransformOrMany) -> TransformOrMany:
    """Return transforms that make several views, which a learner needs; a single one only augments."""
    return transform if isinstance(transform, Sequence) and len(transform) > 1 else None


class Transforms:
    """One transform a view of an item; none leaves items as they are.

    A transform with `set_random_state`, as MONAI's have, is seeded by that. For any other, the random numbers
    of torch, NumPy and Python are seeded around each call and put back; those belong to the whole process, so
    such a transform cannot run in a thread beside training (`is_own`).
    """

    def __init__(self, transforms: Sequence[Transform]) -> None:
        self.changes = list(transforms)
        self.is_own = all(hasattr(change, "set_random_state") for change in self.changes)

    @classmethod
    def of(cls, transform: TransformOrMany) -> "Transforms":
        """Take none, one or one a view."""
        if transform is None:
            return cls(())
        return cls(transform if isinstance(transform, Sequence) else (transform,))

    def views(self, values: Tensor, masks: Tensor, seed: Callable[..., int]) -> list[View]:
        """Make all views of values (B, C, ...) and masks (B, 1, ...); `seed(n, view)` is that of item `n`."""
        return [self._view(number, values, masks, seed) for number in range(len(self.changes))]

    def _view(self, number: int, values: Tensor, masks: Tensor, seed: Callable[..., int]) -> View:
        change: Any = self.changes[number]
        done = []
        for n, (one, mask) in enumerate(zip(values, masks, strict=True)):
            item = {"values": one.clone(), "mask": mask.clone()}  # the other views see it as it was
            with _seeded(change, seed(n, number + 1)):
                done.append(change(item))
        new_values, new_masks = ([torch.as_tensor(item[key]) for item in done] for key in ("values", "mask"))
        return View(torch.stack(new_values).float(), torch.stack(new_masks).bool())


@contextmanager
def _seeded(change: Any, seed: int) -> Iterator[None]:
    """Seed a transform by its own method, or else all of torch, NumPy and Python, and put those back."""
    if hasattr(change, "set_random_state"):
        change.set_random_state(seed=seed % 2**32)
        yield
        return
    kept_numpy, kept_python = np.random.get_state(), random.getstate()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(kept_numpy)  # noqa: NPY002
            random.setstate(kept_python)
