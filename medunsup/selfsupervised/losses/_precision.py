"""Losses are computed in float32 at least, whatever precision the network runs in."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec

import torch
from torch import Tensor

Given = ParamSpec("Given")


def in_float32(loss: Callable[Given, Tensor]) -> Callable[Given, Tensor]:
    """Compute a loss outside autocast: halves become float32, doubles stay doubles.

    Tensors are converted where they stand in the call, alone or in a sequence.
    """

    @wraps(loss)
    def computed(*given: Given.args, **named: Given.kwargs) -> Tensor:
        first: Any = [*given, *named.values()][0]
        device = first.device if isinstance(first, Tensor) else first[0].device
        with torch.autocast(device.type, enabled=False):
            return loss(*map(_whole, given), **{name: _whole(one) for name, one in named.items()})

    return computed


def _whole(value: Any) -> Any:
    if isinstance(value, Tensor):
        is_half = value.is_floating_point() and value.dtype.itemsize < 4
        return value.float() if is_half else value
    return [_whole(one) for one in value] if isinstance(value, list | tuple) else value
