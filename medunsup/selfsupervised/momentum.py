"""A teacher: a network that follows another as its moving average, and gets no gradient."""

from copy import deepcopy
from math import cos, pi
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def teacher_of(student: Network) -> Network:
    """Return a copy of a network that is never trained."""
    return deepcopy(student).requires_grad_(False)


@torch.no_grad()
def follow(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Move a teacher's parameters towards the student's; called once a step.

    Buffers, such as the running statistics of batch norm, stay the teacher's own.
    """
    for kept, now in zip(teacher.parameters(), student.parameters(), strict=True):
        kept.lerp_(now, 1 - momentum)


def rising(momentum: float, fraction: float) -> float:
    """Momentum that rises from its first value to 1 as a cosine; `fraction` is how much of a run is done.

    Grill et al., Bootstrap your own latent, NeurIPS 2020.
    """
    return 1 - (1 - momentum) * (cos(pi * fraction) + 1) / 2
