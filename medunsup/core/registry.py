"""Methods register themselves by name; listing them reads their source and imports nothing.

A method is one file `<name>.py` in its area's folder, holding a class under
`@register(name, family=..., dims=..., paper=..., limit=...)`.
"""

import ast
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from inspect import cleandoc
from pathlib import Path
from typing import TypeVar

from medunsup.core.errors import UsageError

PACKAGE = Path(__file__).resolve().parent.parent
FOLDERS = {"tissue": "tissue/methods", "anomaly": "anomaly/models", "score": "anomaly/scores"}

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
    class_name: str


def register(name: str, *, family: str, dims: tuple[int, ...], paper: str, limit: str) -> Callable[[T], T]:
    """Class decorator: make a method known under `name`, with limit and paper in its docstring.

    `family` groups methods, `dims` are the image dimensions it takes, `paper` its citation, `limit` one
    honest limit. All must be literals: they are read from the source.
    """

    def keep(cls: T) -> T:
        _CLASSES[(cls.__module__, name)] = cls
        cls.method_name = name  # type: ignore[attr-defined]
        cls.__doc__ = _documented(cls.__doc__, paper, limit)
        return cls

    return keep


def methods(area: str | None = None) -> list[MethodCard]:
    """List all methods, or those of one area such as 'tissue', by name."""
    areas = list(FOLDERS) if area is None else [area] if area in FOLDERS else []
    return [
        card
        for one in areas
        for file in sorted((PACKAGE / FOLDERS[one]).glob("[!_]*.py"))
        for card in _cards(file, one)
    ]


def method(area: str, name: str) -> type:
    """Import one method's class. Raises UsageError naming the nearest known method."""
    known = [card.name for card in methods(area)]
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
        raise UsageError(f"There is no {area} method {name!r}. {hint}")
    module = f"medunsup.{FOLDERS[area].replace('/', '.')}.{name}"
    import_module(module)
    return _CLASSES[(module, name)]


def _documented(doc: str | None, paper: str, limit: str) -> str:
    """Add the card's limit and paper to a docstring, before its examples as numpydoc orders sections."""
    text, heading, examples = cleandoc(doc or "").partition("Examples\n--------\n")
    card = f"Notes\n-----\nLimit: {limit}\n\nReferences\n----------\n{paper}"
    return "\n\n".join(part for part in (text.strip(), card, heading + examples) if part)


def _cards(file: Path, area: str) -> list[MethodCard]:
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
                cards.append(MethodCard(name=name, area=area, summary=summary, class_name=node.name, **facts))
    return cards
