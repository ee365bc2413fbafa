"""What a config's fields say of themselves, as its docstring and the command line tell it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from textwrap import fill, indent
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

WIDTH = 100
WORDS = {
    ("ge", "le"): "from {ge:g} to {le:g}",
    ("ge", "lt"): "{ge:g} or more, below {lt:g}",
    ("gt", "le"): "above {gt:g}, at most {le:g}",
    ("gt", "lt"): "above {gt:g}, below {lt:g}",
    ("ge",): "{ge:g} or more",
    ("gt",): "above {gt:g}",
    ("le",): "at most {le:g}",
    ("lt",): "below {lt:g}",
}


@dataclass(frozen=True)
class FieldDoc:
    """One parameter in words: `kind` its type with bounds, `default` as Python writes it, `description`."""

    name: str
    kind: str
    default: str
    description: str


def field_docs(fields: Mapping[str, FieldInfo]) -> Iterator[FieldDoc]:
    """Describe the fields of a config, in their order."""
    for name, field in fields.items():
        kind, bounds = _kind(field.annotation), _bounds(field.metadata)
        default = "" if field.is_required() else repr(field.get_default(call_default_factory=True))
        yield FieldDoc(name, f"{kind}, {bounds}" if bounds else kind, default, _sentence(field.description))


def parameters_section(fields: Mapping[str, FieldInfo]) -> str:
    """Write the numpydoc section "Parameters" of a config; empty without fields."""
    lines = []
    for one in field_docs(fields):
        default = f", default {one.default}" if one.default else ""
        lines += [f"{one.name} : {one.kind}{default}", indent(fill(one.description, WIDTH), "    ")]
    return "\n".join(["Parameters", "----------", *lines]) if lines else ""


def _kind(annotation: Any) -> str:
    """Name a type as users know it, None and validators left out: "int", "{'a', 'b'}", "tuple of str"."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        bounds = _bounds([part for one in inner[1:] for part in getattr(one, "metadata", ())])
        return f"{_kind(inner[0])} {bounds}".rstrip()
    if origin is Literal:
        return "{" + ", ".join(map(repr, inner)) + "}"
    if origin in (Union, UnionType):
        return " or ".join("None" if one is NoneType else _kind(one) for one in inner)
    if origin is tuple:
        return f"tuple of {_kind(inner[0])}"
    return str((origin or annotation).__name__)


def _bounds(metadata: list[Any]) -> str:
    limits = {
        name: getattr(one, name)
        for name in ("ge", "gt", "le", "lt")
        for one in metadata
        if hasattr(one, name)
    }
    return WORDS[tuple(limits)].format(**limits) if limits else ""


def _sentence(text: str | None) -> str:
    """Write a description with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
