"""How messages name an option: as its reader gives it, `force=True` in Python, `--force` in a terminal.

A message is read by whoever made the call, so `option` words it for them. What is kept (a sidecar, a table, a
page) is read later, by anyone, and must not depend on who asked for it: there `both` names an option twice.
"""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, ParamSpec, TypeVar

# Options whose name on the command line is not that of the Python parameter.
FLAGS = {
    "out": "-o",
    "parameters": "--set",
    "with_contrasts": "--with",
    "spacing_mm": "--spacing",
    "senders": "--from",
}
# What a verb takes by its place among the words, without a name.
ARGUMENTS = {("bids", "out"): "OUTPUT_DIR"}

Given = ParamSpec("Given")
Returned = TypeVar("Returned")

_verb: str | None = None  # that of the command line; None where Python calls


@contextmanager
def worded_for(verb: str | None) -> Iterator[None]:
    """Word messages for the command line's `verb`, in all threads; for Python if it is None."""
    global _verb
    before, _verb = _verb, verb
    try:
        yield
    finally:
        _verb = before


def worded_as_here(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Return the function so that it words its messages as they are here, also in another process."""
    return partial(_worded, _verb, function)


def _worded(verb: str | None, function: Callable[..., Returned], *given: Any, **named: Any) -> Returned:
    with worded_for(verb):
        return function(*given, **named)


def option(name: str, value: Any = None) -> str:
    """Name an option, with a value if one is given, as the reader of a message gives it.

    `name` is the parameter's in Python. True is the value of what the command line knows as a switch, a
    mapping that of what it takes as key=value.
    """
    return _in_python(name, value) if _verb is None else shlex.join(words(name, value, verb=_verb))


def both(name: str, value: Any = None) -> str:
    """Name an option for readers of either kind: "force=True (--force)", "mask (--mask)"."""
    in_python = name if value is None else _in_python(name, value)
    return f"{in_python} ({shlex.join(words(name, value))})"


def words(name: str, value: Any = None, *, verb: str = "") -> list[str]:
    """Return the words that give an option on the command line, that of `verb` if one is named."""
    if (verb, name) in ARGUMENTS:
        return [ARGUMENTS[verb, name] if value is None else str(value)]
    flag = FLAGS.get(name, f"--{name.replace('_', '-')}")
    if isinstance(value, Mapping):
        return [word for key, one in value.items() for word in (flag, f"{key}={one}")]
    return [flag] if value is None or value is True else [flag, str(value)]


def traceback_hint() -> str:
    """Say where the traceback of a defect is to be found."""
    return "Its traceback shows where." if _verb is None else f"{option('debug')} shows where."


def _in_python(name: str, value: Any) -> str:
    return f"`{name}`" if value is None else f"{name}={_literal(value)}"


def _literal(value: Any) -> str:
    """Write a value as in a call."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(one)}" for key, one in value.items()) + "}"
    is_bare = isinstance(value, bool | int | float)
    return repr(value) if is_bare else json.dumps(str(value), ensure_ascii=False)
