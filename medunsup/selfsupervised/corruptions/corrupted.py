"""What a corruption leaves: the view, and what the target needs."""

from dataclasses import dataclass

from torch import Tensor

from medunsup.training.learner import View


@dataclass(frozen=True)
class Corrupted:
    """A view to be restored; `changed` (B, 1, ...) bool is where it may differ from the original."""

    view: View
    changed: Tensor


@dataclass(frozen=True)
class Classed:
    """A view whose change is to be named; `classes` (B,) int64 says which of the possible ones it is."""

    view: View
    classes: Tensor
