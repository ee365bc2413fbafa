"""Methods register themselves by name; listing them reads their source and imports nothing.

A method is one file `medunsup/<area>/methods/<name>.py` holding a class under
`@register(name, family=..., dims=..., paper=..., limit=...)`.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import TypeVar

from medunsup.core.errors import UsageError

PACKAGE = Path(__file__).resolve().parent.parent

T = TypeVar("T", bound=type)
_CLASSES: dict[tuple[str, str], type] = {}


@dataclass(frozen=True)
class MethodCard:
    """What `medunsup methods` tells about a method without importing it."""

    name: str
    area: str
    family: str
    dims: tuple[int, ...]
    paper: str
    limit: str
    summary: str


def register(name: str, *, family: str, dims: tuple[int, ...], paper: str, limit: str) -> Callable[[T], T]:
    """Class decorator: make a method known under `name`.

    `family` groups methods, `dims` are the image dimensions it takes, `paper` its citation, `limit` one
    honest limit. All must be literals: they are read from the source.
    """

    def keep(cls: T) -> T:
        area = cls.__module__.split(".")[1] if cls.__module__.startswith("medunsup.") else cls.__module__
        _CLASSES[(area, name)] = cls
        cls.method_name = name  # type: ignore[attr-defined]
        return cls

    return keep


def methods(area: str | None = None) -> list[MethodCard]:
    """List all methods, or those of one area such as 'tissue', by name."""
    folders = PACKAGE.glob(f"{area or '*'}/methods")
    files = [file for folder in sorted(folders) for file in sorted(folder.glob("[!_]*.py"))]
    return [card for file in files for card in _cards(file)]


def method(area: str, name: str) -> type:
    """Import one method's class. Raises UsageError naming the nearest known method."""
    known = [card.name for card in methods(area)]
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
        raise UsageError(f"There is no {area} method {name!r}. {hint}")
    import_module(f"medunsup.{area}.methods.{name}")
    return _CLASSES[(area, name)]


def _cards(file: Path) -> list[MethodCard]:
    """Read the `@register(...)` calls of one file."""
    cards = []
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "register":
                facts = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
                summary = (ast.get_docstring(node) or "").split("\n", 1)[0]
                name = ast.literal_eval(call.args[0])
                cards.append(MethodCard(name=name, area=file.parent.parent.name, summary=summary, **facts))
    return cards
