"""Names that changed: the old one is taken for a while, and said so."""

import warnings
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

Value = TypeVar("Value")
Function = TypeVar("Function", bound=Callable[..., Any])


def renamed(old: str, new: str, value: Value | None, current: Value) -> Value:
    """Return what was given under an argument's old name, with a FutureWarning; else the current value."""
    if value is None:
        return current
    warnings.warn(f"{old}= is called {new}= now; the old name will go.", FutureWarning, stacklevel=3)
    return value


def renamed_property(old: str, new: str) -> property:
    """Return a property that reads the attribute `new` under its old name, with a FutureWarning."""

    def read(self: Any) -> Any:
        warnings.warn(f".{old} is called .{new} now; the old name will go.", FutureWarning, stacklevel=2)
        return getattr(self, new)

    read.__doc__ = f"Former name of `{new}`."
    return property(read)


def takes_old_names(**new_of: str) -> Callable[[Function], Function]:
    """Let a function take arguments by their old names as well, each with a FutureWarning.

    `new_of` gives the new name of each old one.
    """

    def dress(function: Function) -> Function:
        @wraps(function)
        def call(*values: Any, **given: Any) -> Any:
            for old in new_of.keys() & given.keys():
                warnings.warn(
                    f"{old}= is called {new_of[old]}= now; the old name will go.", FutureWarning, stacklevel=2
                )
                given[new_of[old]] = given.pop(old)
            return function(*values, **given)

        return call  # type: ignore[return-value]

    return dress


def by_new_names(values: Mapping[str, Value], new_of: Mapping[str, str], where: str = "") -> dict[str, Value]:
    """Return values by their new names; with `where`, a FutureWarning says for each what its name is now."""
    for old in new_of.keys() & values.keys() if where else ():
        warnings.warn(
            f"{where}: {old} is called {new_of[old]} now; the old name will go.", FutureWarning, stacklevel=3
        )
    return {new_of.get(name, name): value for name, value in values.items()}


def renamed_class(old: str, new: type) -> type:
    """Return a class under its old name, with a FutureWarning; for a module's `__getattr__`."""
    warnings.warn(f"{old} is called {new.__name__} now; the old name will go.", FutureWarning, stacklevel=3)
    return new
