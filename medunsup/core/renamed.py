"""Names that changed: the old one is taken for a while, and said so."""

import warnings
from typing import Any, TypeVar

Value = TypeVar("Value")


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
