"""Whether two networks compute the same, module by module."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from math import inf, isfinite
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from medunsup.core.errors import UsageError

SAMPLES = 4096  # values of each output that are compared
TOLERANCE = 1e-5  # as a share of the largest value of an output, or of 1 if that is larger


class Output(NamedTuple):
    """Shape of what a module gave, and some of its values."""

    shape: tuple[int, ...]
    values: Tensor


Outputs = dict[str, Output]  # by module, in the order of their calls


def outputs_of(network: nn.Module, images: Tensor, names: Mapping[str, str]) -> tuple[Outputs, set[str]]:
    """Run images through a network and return what its modules gave, and the names of all that were called.

    `names` are those of modules in the network, by the name under which their output is returned. Of each
    output the shape and evenly spread values of its first call are kept. The network computes as in
    evaluation, in float32 and without gradient; its modes are as before when it is done.
    """
    modules = dict(network.named_modules(remove_duplicate=False))
    outputs: Outputs = {}
    called: set[str] = set()
    hooks = [module.register_forward_hook(partial(_note, called, name)) for name, module in modules.items()]
    for key, name in names.items():
        if name in modules:
            hooks.append(modules[name].register_forward_hook(partial(_keep, outputs, key)))
    try:
        with _evaluating(network), _float32(), torch.no_grad():
            network(images)
    finally:
        for hook in hooks:
            hook.remove()
    return outputs, called


def differences(first: Outputs, second: Outputs, network: str) -> dict[str, float]:
    """Return by how much each output differs, as a share of its largest value or of 1 if that is larger.

    Raises UsageError that names the first module whose outputs differ by more than `TOLERANCE`; `network` is
    what the second network is called there.
    """
    apart = {}
    for name, output in first.items():
        apart[name] = _apart(output, second.get(name))
        if apart[name] > TOLERANCE:
            how = _told(output, second.get(name), apart[name])
            raise UsageError(
                f"All names and shapes fit {network}, but features differ from the module {name} on ({how}): "
                "strides, shortcuts, normalisation or activations are others. Build the network with the "
                "arguments of the encoder. Nothing was loaded."
            )
    return apart


def _apart(first: Output, second: Output | None) -> float:
    if second is None or first.shape != second.shape:
        return inf
    apart = float((first.values - second.values).abs().max()) / max(1.0, float(first.values.abs().max()))
    return apart if isfinite(apart) else inf


def _told(first: Output, second: Output | None, apart: float) -> str:
    if second is None:
        return "the network does not use it"
    if first.shape != second.shape:
        return f"shape {first.shape} against {second.shape}"
    return f"by {apart:.2g} of the largest value"


def _note(called: set[str], name: str, *_: Any) -> None:
    called.add(name)


def _keep(outputs: Outputs, key: str, module: nn.Module, given: Any, output: Any) -> None:
    if isinstance(output, Tensor) and output.is_floating_point() and output.numel() and key not in outputs:
        values = output.flatten()
        step = max(1, len(values) // SAMPLES)
        outputs[key] = Output(tuple(output.shape), values[::step].float().clone())


@contextmanager
def _float32() -> Iterator[None]:
    """Compute convolutions on a GPU in float32, not in TensorFloat-32."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
