"""Weights of a pretrained encoder in another network: every one accounted for, and the features compared."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from medunsup.core.errors import UsageError
from medunsup.nn.adaptation_plan import AdaptationPlan
from medunsup.nn.encoder import Encoder
from medunsup.nn.fit_names import Fit, fit_names, part, renamed
from medunsup.nn.same_features import differences, outputs_of


@dataclass(frozen=True)
class Transfer:
    """What a transfer of weights did; printed, it is one sentence.

    Attributes
    ----------
    network : str
        Class of the network that took the weights.
    loaded : tuple of str
        Names of the weights that were loaded, as they are in the network.
    fresh : tuple of str
        Names of the network's other weights, which are as they were.
    unused : tuple of str
        Names of optional weights that one of the two lacks; the encoder never uses them.
    stem : str
        How weights for one channel became those for several; empty if the channels are the same.
    compared : int
        Modules whose outputs were compared, 0 if there was nothing to compare with.
    difference : float
        Largest difference of these outputs, as a share of an output's largest value or of 1.

    Examples
    --------
    >>> from medunsup.nn import AdaptationPlan, load_weights
    >>> plan = AdaptationPlan(encoder="cnn", dims=2, patch=(64, 64), stem="down.0.")
    >>> one, three = plan.build(), plan.build(channels=3)
    >>> load_weights(three, one.state_dict(), plan).stem
    'weights of down.0 for 1 channel repeated for 3 and divided by as many'
    """

    network: str
    loaded: tuple[str, ...]
    fresh: tuple[str, ...]
    unused: tuple[str, ...]
    stem: str
    compared: int
    difference: float

    def __str__(self) -> str:
        """Say in a sentence what was loaded and what was not."""
        parts = [
            f"{len(self.loaded)} weights loaded into {self.network}, {len(self.fresh)} left as they were"
        ]
        if self.stem:
            parts.append(self.stem)
        if self.unused:
            parts.append(f"never used and missing on one side: {', '.join(self.unused)}")
        if self.compared:
            parts.append(f"outputs of {self.compared} modules are the same within {self.difference:.1g}")
        return "; ".join(parts) + "."


def transfer(
    encoder: nn.Module,
    network: nn.Module,
    plan: AdaptationPlan,
    *,
    names: Mapping[str, str] | None = None,
    images: Tensor | None = None,
) -> Transfer:
    """Load the weights of an encoder into a network that holds the same encoder.

    Weights of the stem for one channel are repeated for a network of several, and divided by their number, so
    that equal channels give the same features. Afterwards images go through both, and the outputs of all
    modules that both have are compared: names that fit do not show that strides and shortcuts do. Either all
    is loaded or the network is as it was.

    Parameters
    ----------
    encoder : torch.nn.Module
        The pretrained encoder, an `Encoder` or any other.
    network : torch.nn.Module
        The network, on the device of the encoder; changed in place.
    plan : AdaptationPlan
        What is known of the encoder.
    names : mapping of str to str, optional
        What the names of the encoder's weights begin with, and what they begin with in the network, such as
        `{"": "backbone."}`. Those in `plan.networks` for the network's class if not given.
    images : Tensor of shape (B, C, ...), float, optional
        Images for the comparison, with the channels of the plan; noise of the plan's sides if not given.

    Returns
    -------
    Transfer
        What was loaded, what was not, and how far the features agree.

    Raises
    ------
    UsageError
        If a weight has no counterpart or another shape, naming each, or if features differ, naming the first
        module where they do.

    Examples
    --------
    >>> from monai.networks.nets import BasicUNet
    >>> from medunsup.nn import AdaptationPlan, make_encoder, transfer
    >>> encoder = make_encoder("unet", {"channels": 8}, dims=2, channels=1)
    >>> features, norm = (8, 8, 16, 32, 64, 8), ("group", {"num_groups": 8})
    >>> network = BasicUNet(spatial_dims=2, features=features, norm=norm)
    >>> done = transfer(encoder, network, AdaptationPlan.of(encoder, patch=(32, 32)))
    >>> len(done.loaded), done.difference < 1e-5
    (40, True)
    """
    kind = type(network).__name__
    names = _names(network, plan) if names is None else names
    state = network.state_dict()
    fit = fit_names(encoder.state_dict(), state, names, stem=plan.stem, optional=plan.optional)
    _refuse(fit, f"The encoder {plan.encoder} does not fit {kind}")
    before = {name: state[name].clone() for name in fit.values}
    _fill(state, fit.values)
    try:
        given = _noise(encoder, plan.channels, plan) if images is None else images
        apart = _compare(encoder, network, names, given, fit)
    except BaseException:
        _fill(state, before)
        raise
    return _done(kind, state, fit, plan, apart)


def load_weights(encoder: Encoder, weights: Mapping[str, Tensor], plan: AdaptationPlan) -> Transfer:
    """Load weights that were read from a file into an encoder, by the names that the plan says the file has.

    Weights of the stem for one channel are repeated for an encoder of several, and divided by their number.

    Parameters
    ----------
    encoder : Encoder
        The encoder, as `plan.build()` makes it; changed in place.
    weights : mapping of str to Tensor
        What the file holds. Weights of other parts, such as a decoder, are passed over.
    plan : AdaptationPlan
        What is known of the file.

    Returns
    -------
    Transfer
        What was loaded, and what was not.

    Raises
    ------
    UsageError
        If a weight of the encoder is not in the file or has another shape there, or if the file's encoder has
        weights that ours lacks, naming each.

    Examples
    --------
    >>> from medunsup.nn import AdaptationPlan, load_weights
    >>> plan = AdaptationPlan(encoder="cnn", dims=2, patch=(64, 64), file={"": "backbone."})
    >>> encoder = plan.build()
    >>> stored = {f"backbone.{name}": value for name, value in encoder.state_dict().items()}
    >>> print(load_weights(encoder, stored, plan))
    21 weights loaded into CNN, 0 left as they were.
    """
    mine, kind = encoder.state_dict(), type(encoder).__name__
    backwards = {there: here for here, there in plan.file.items()}
    parts = {part(name) for name in mine}
    theirs = {
        ours: _turned(value, plan.file_axes)
        for name, value in weights.items()
        if (ours := renamed(name, backwards)) and part(ours) in parts
    }
    fit = fit_names(theirs, mine, {"": ""}, stem=plan.stem, optional=plan.optional, whole=True)
    _refuse(fit, f"The weights of {plan.encoder} do not fit {kind}")
    if fit.unused:
        _, used = outputs_of(encoder, _noise(encoder, encoder.channels, plan), {})
        _check_unused(fit, used)
    _fill(mine, fit.values)
    return _done(kind, mine, fit, plan, {})


def _names(network: nn.Module, plan: AdaptationPlan) -> Mapping[str, str]:
    """Return the beginnings of names that the plan has for a network's class, or one that it derives from."""
    for kind in type(network).__mro__:
        if kind.__name__ in plan.networks:
            return plan.networks[kind.__name__]
    known = ", ".join(plan.networks) or "none"
    raise UsageError(
        f"The plan does not say where the weights of {plan.encoder} go in {type(network).__name__} (it knows "
        f'{known}). Give `names`, such as names={{"": "backbone."}}.'
    )


def _refuse(fit: Fit, what: str) -> None:
    """Raise UsageError that names every weight which does not fit."""
    if fit.faults:
        listed = "; ".join(f"{name} ({why})" for name, why in fit.faults.items())
        raise UsageError(
            f"{what}, for {len(fit.faults)} weights of {len(fit.faults) + len(fit.values)}: {listed}. "
            "Build it with the sizes and names that the plan gives. Nothing was loaded."
        )


def _compare(
    encoder: nn.Module, network: nn.Module, names: Mapping[str, str], images: Tensor, fit: Fit
) -> dict[str, float]:
    """Return by how much the outputs of modules that hold weights differ. Raises UsageError if any does."""
    modules = {name: module for name, module in encoder.named_modules() if name}
    mine = [name for name, module in modules.items() if next(module.parameters(), None) is not None]
    there = {name: str(renamed(f"{name}.", names)).removesuffix(".") for name in mine}
    first, used = outputs_of(encoder, images, {name: name for name in mine})
    second, used_there = outputs_of(network, images.repeat_interleave(fit.times, dim=1), there)
    _check_unused(fit, used | used_there)
    in_network = {name for name, _ in network.named_modules(remove_duplicate=False)}
    shared = {name: output for name, output in first.items() if there[name] in in_network}
    if not shared:
        raise UsageError(f"{type(network).__name__} has no module of the encoder. Check `names`.")
    return differences(shared, second, type(network).__name__)


def _check_unused(fit: Fit, used: set[str]) -> None:
    """Raise UsageError if a network calls the module of a weight that the plan says is never used."""
    wrong = [name for name in fit.unused if name.rpartition(".")[0] in used]
    if wrong:
        raise UsageError(
            f"The plan calls weights optional that are used: {', '.join(wrong)}. "
            "Take them out of `optional`, or bring weights for them. Nothing was loaded."
        )


def _noise(network: nn.Module, channels: int, plan: AdaptationPlan) -> Tensor:
    noise = torch.randn(1, channels, *plan.patch, generator=torch.Generator().manual_seed(0))
    return noise.to(next(network.parameters()).device)


def _done(
    kind: str, state: Mapping[str, Tensor], fit: Fit, plan: AdaptationPlan, apart: Mapping[str, float]
) -> Transfer:
    filled = {state[name].data_ptr() for name in fit.values}  # a weight may have several names
    fresh = [name for name in state if name not in fit.values and state[name].data_ptr() not in filled]
    stem = f"weights of {plan.stem.rstrip('.')} for 1 channel repeated for {fit.times} and divided by as many"
    return Transfer(
        network=kind,
        loaded=tuple(fit.values),
        fresh=tuple(fresh),
        unused=tuple(fit.unused),
        stem=stem if fit.times > 1 else "",
        compared=len(apart),
        difference=max(apart.values(), default=0.0),
    )


def _fill(state: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> None:
    with torch.no_grad():
        for name, value in values.items():
            state[name].copy_(value)


def _turned(value: Tensor, axes: tuple[int, ...] | None) -> Tensor:
    """Put the axes of a kernel (outputs, inputs, ...) into our order."""
    if axes is None or value.ndim != len(axes) + 2:
        return value
    return value.permute(0, 1, *(2 + axes.index(axis) for axis in range(len(axes))))
