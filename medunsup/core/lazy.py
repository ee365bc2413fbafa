"""Public names of a package that are imported the first time they are used, so that importing it stays light.

    __getattr__, __dir__ = attach(__name__, {"Detector": "medunsup.anomaly.detector"}, areas=("anomaly",))

`homes` says in which module each name is at home. The classes of the methods of `areas` are public as well
and need no entry: the registry reads them from the source.
"""

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any


def attach(
    package: str, homes: Mapping[str, str], *, areas: tuple[str, ...] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for a package; the first knows `__all__` as well."""

    def get(name: str) -> Any:
        if name == "__all__":
            return names()
        if name in homes:
            return getattr(import_module(homes[name]), name)
        if name[:1].isupper() and name in _classes(areas):  # no file is read for other names
            return _class(*_classes(areas)[name])
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted({*homes, *_classes(areas)})

    return get, names


def _class(area: str, name: str) -> type:
    from medunsup.core.registry import method

    return method(area, name)


@cache
def _classes(areas: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Return area and name of each method of ours by the name of its class."""
    from medunsup.core.registry import PACKAGE, methods

    cards = [card for area in areas for card in methods(area) if card.distribution == PACKAGE.name]
    return {card.class_name: (card.area, card.name) for card in cards}
