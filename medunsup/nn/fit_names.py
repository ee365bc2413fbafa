"""Which weight of one network is which of another."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class Fit:
    """What fits, and what does not.

    `values` are weights by their names in the target, `faults` say of each other weight why it does not fit,
    `unused` names optional weights that one side lacks. Each channel of the images is to be repeated `times`.
    """

    optional: tuple[str, ...]
    values: dict[str, Tensor] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    unused: list[str] = field(default_factory=list)
    times: int = 1

    def lacks(self, name: str, why: str) -> None:
        """Note a weight that one side lacks."""
        if any(part in name for part in self.optional):
            self.unused.append(name)
        else:
            self.faults[name] = why


def fit_names(
    source: Mapping[str, Tensor],
    target: Mapping[str, Tensor],
    names: Mapping[str, str],
    *,
    stem: str,
    optional: tuple[str, ...],
    whole: bool = False,
) -> Fit:
    """Fit the weights of a source to those of a target.

    `names` are beginnings of names in the source, and what they are in the target. `stem` begins the names of
    the weights that take the images, in the source. All weights of the target must be met if it is the
    `whole` encoder, else all that begin as the source's do there.
    """
    fit, met = Fit(optional), set()
    for name, value in source.items():
        there = renamed(name, names)
        met.add(there)
        if there is None or there not in target:
            fit.lacks(name, "not there")
            continue
        times = _times(value, target[there]) if stem and name.startswith(stem) else 1
        if value.shape == target[there].shape:
            fit.values[there] = value
        elif times > 1:
            fit.values[there], fit.times = value.repeat_interleave(times, dim=1) / times, times
        else:
            fit.faults[name] = f"{tuple(value.shape)}, there {tuple(target[there].shape)}"
    for name in target:
        if name not in met and (whole or name.startswith(_region(met, names))):
            fit.lacks(name, "no weight for it")
    return fit


def renamed(name: str, names: Mapping[str, str]) -> str | None:
    """Exchange the longest beginning that fits; None if none does."""
    fitting = [first for first in names if name.startswith(first)]
    if not fitting:
        return None
    longest = max(fitting, key=len)
    return names[longest] + name[len(longest) :]


def part(name: str) -> str:
    """Return the name of the part of a network that a weight is in, as its name begins."""
    return name.partition(".")[0] + "."


def _times(value: Tensor, there: Tensor) -> int:
    """Return for how many channels the weights of one are to be repeated; 0 if that makes them fit not."""
    one = value.ndim == there.ndim > 1 and value.shape[1] == 1
    return there.shape[1] if one and value.shape[2:] == there.shape[2:] and len(value) == len(there) else 0


def _region(met: set[str | None], names: Mapping[str, str]) -> tuple[str, ...]:
    """Return what names of the target's encoder begin with.

    Where they begin with nothing of their own (""), these are the parts that weights of the source are in.
    """
    parts = {part(name) for name in met if name} if "" in names.values() else set()
    return tuple(parts | {there for there in names.values() if there})
