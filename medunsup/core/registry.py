"""Methods register themselves by name; listing them reads their source and imports nothing.

A method is one file `<name>.py` in its area's folder, holding a class under
`@register(name, family=..., dims=..., paper=..., limit=...)`. A laboratory's own method lies in a package of
its own, which names the module in its metadata; nothing of medunsup is changed for it:

    [project.entry-points."medunsup.methods"]
    "tissue.mine" = "our_lab.mine"
"""

import ast
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from inspect import cleandoc, signature
from pathlib import Path
from typing import Any, TypeVar

from medunsup.core.errors import UsageError

PACKAGE = Path(__file__).resolve().parent.parent
GROUP = "medunsup.methods"  # of entry points

log = logging.getLogger(__name__)
T = TypeVar("T", bound=type)
_CLASSES: dict[tuple[str, str], type] = {}


@dataclass(frozen=True)
class Area:
    """A kind of method: the folder of its files, the test that all of them pass, the page that explains it.

    `folder` is below the package; `contract` and `page` are below the project.
    """

    folder: str
    contract: str
    page: str

    @property
    def package(self) -> str:
        """Where its modules are imported from."""
        return f"{PACKAGE.name}.{self.folder.replace('/', '.')}"


AREAS = {
    "tissue": Area("tissue/methods", "tests/tissue/test_methods_contract.py", "docs/tissue.md"),
    "anomaly": Area("anomaly/models", "tests/anomaly/test_models_contract.py", "docs/training.md"),
    "score": Area("anomaly/scores", "tests/anomaly/test_scores_contract.py", "docs/detect.md"),
    "feature": Area("features/methods", "tests/features/test_methods_contract.py", "docs/embed.md"),
    "encoder": Area("nn/encoders", "tests/nn/test_encoders_contract.py", "docs/encoders.md"),
    "selfsupervised": Area(
        "selfsupervised/methods", "tests/selfsupervised/test_methods_contract.py", "docs/pretrain.md"
    ),
    "semisupervised": Area(
        "semisupervised/methods", "tests/semisupervised/test_methods_contract.py", "docs/few_labels.md"
    ),
    "clustering": Area("clustering/methods", "tests/clustering/test_methods_contract.py", "docs/cluster.md"),
    "reduction": Area("reduction/methods", "tests/reduction/test_methods_contract.py", "docs/reduce.md"),
}

KIND = {
    "tissue": "a tissue method",
    "anomaly": "a model",
    "score": "a score",
    "feature": "a kind of features",
    "encoder": "an encoder",
    "selfsupervised": "a pretraining method",
    "semisupervised": "a method for few labels",
    "clustering": "a clustering method",
    "reduction": "a reduction",
}


@dataclass(frozen=True)
class MethodCard:
    """What `medunsup methods` tells of a method without importing it.

    Attributes
    ----------
    name : str
        Name of the method, as `segment`, `train` and `Detector` take it.
    area : str
        'tissue', 'anomaly' (models), 'score', 'feature', 'encoder', 'selfsupervised',
        'semisupervised', 'clustering' or 'reduction'.
    family : str
        Group of methods, such as 'mixture'.
    dims : tuple of int
        Image dimensions that it takes.
    paper : str
        Its citation.
    limit : str
        One honest sentence on where it fails.
    summary : str
        First line of its docstring.
    class_name : str
        Name of its class.
    module : str
        Module that holds the class.
    distribution : str
        Installed package that brings it.
    """

    name: str
    area: str
    family: str
    dims: tuple[int, ...]
    paper: str
    limit: str
    summary: str
    class_name: str
    module: str
    distribution: str = PACKAGE.name


def register(name: str, *, family: str, dims: tuple[int, ...], paper: str, limit: str) -> Callable[[T], T]:
    """Make a class known as a method under `name`; limit and paper become part of its docstring.

    A class decorator. All arguments must be literals: they are read from the source, which imports nothing.

    Parameters
    ----------
    name : str
        Name of the method, and of its file.
    family : str
        Group of methods, such as 'mixture'.
    dims : tuple of int
        Image dimensions that it takes: (2, 3) for slices and volumes.
    paper : str
        Its citation.
    limit : str
        One honest sentence on where it fails.

    Returns
    -------
    callable
        The decorator; it returns the class itself.

    Examples
    --------
    >>> import medunsup
    >>> @medunsup.register("mine", family="mixture", dims=(2, 3), paper="Me (2026).", limit="It is new.")
    ... class Mine:
    ...     pass
    >>> Mine.method_name
    'mine'
    """

    def keep(cls: T) -> T:
        _CLASSES[(cls.__module__, name)] = cls
        cls.method_name = name  # type: ignore[attr-defined]
        cls.__doc__ = _documented(cls.__doc__, paper, limit)
        return cls

    return keep


def methods(area: str | None = None) -> list[MethodCard]:
    """List all methods, or those of one area, without importing them.

    Those of medunsup come first, by name, then those of other packages. A package whose entry point leads
    nowhere, holds no such method or takes a name of ours is passed over with a warning in the log.

    Parameters
    ----------
    area : str, optional
        One area only: 'tissue', 'anomaly' (models), 'score', 'feature', 'encoder', 'selfsupervised',
        'semisupervised', 'clustering' or 'reduction'.

    Returns
    -------
    list of MethodCard
        Name, area, family, dims, paper, limit and summary of each; empty for an area that is not known.

    Examples
    --------
    >>> import medunsup
    >>> [card.name for card in medunsup.methods("tissue")][:3]
    ['atlas_gmm', 'bayesian_gmm', 'gmm']
    """
    areas = list(AREAS) if area is None else [area] if area in AREAS else []
    return [card for one in areas for card in (*_own(one), *_foreign(one))]


def method(area: str, name: str) -> type:
    """Import one method's class. Raises UsageError naming the nearest known method."""
    known = {card.name: card for card in methods(area)}
    if name not in known:
        others = [KIND[one] for one in AREAS if name in {card.name for card in methods(one)}]
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(known)}."
        if others:
            hint = f"{name} is {others[0]}, not {KIND[area]}. Known: {', '.join(known)}."
        raise UsageError(f"There is no {area} method {name!r}. {hint}")
    module = known[name].module
    import_module(module)
    return _CLASSES[(module, name)]


def _documented(doc: str | None, paper: str, limit: str) -> str:
    """Add the card's limit and paper to a docstring, before its examples as numpydoc orders sections."""
    text, heading, examples = cleandoc(doc or "").partition("Examples\n--------\n")
    card = f"Notes\n-----\nLimit: {limit}\n\nReferences\n----------\n{paper}"
    return "\n\n".join(part for part in (text.strip(), card, heading + examples) if part)


def _own(area: str) -> Iterator[MethodCard]:
    home = AREAS[area]
    for file in sorted((PACKAGE / home.folder).glob("[!_]*.py")):
        yield from _cards(file, area, f"{home.package}.{file.stem}")


@cache
def _foreign(area: str) -> tuple[MethodCard, ...]:
    """Read the cards of what installed packages offer for an area; once a process."""
    taken, found = {card.name for card in _own(area)}, []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        asked, _, name = point.name.partition(".")
        if asked not in AREAS:
            log.warning("%s: there is no area %r. Known: %s.", _origin(point), asked, ", ".join(AREAS))
        if asked != area:
            continue
        card = _foreign_card(point, area, name)
        if card is None:
            log.warning("%s: %s holds no @register(%r, ...).", _origin(point), point.value, name)
        elif name in taken:
            log.warning("%s: the name %r is taken. Choose another.", _origin(point), name)
        else:
            taken.add(name)
            found.append(card)
    return tuple(found)


def _foreign_card(point: EntryPoint, area: str, name: str) -> MethodCard | None:
    file = _file_of(point.module)
    try:
        cards = () if file is None else _cards(file, area, point.module, _origin(point))
    except (OSError, SyntaxError, ValueError):  # not Python
        return None
    return next((card for card in cards if card.name == name), None)


def _file_of(module: str) -> Path | None:
    """Find a module's file without importing anything, not even the package it lies in."""
    top, *inner = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if not inner:
        return Path(spec.origin) if spec.origin else None
    below = [Path(folder, *inner) for folder in spec.submodule_search_locations or ()]
    files = [file for path in below for file in (path.with_suffix(".py"), path / "__init__.py")]
    return next((file for file in files if file.is_file()), None)


def _origin(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "an installed package"


def _cards(file: Path, area: str, module: str, distribution: str = PACKAGE.name) -> tuple[MethodCard, ...]:
    """Read the `@register(...)` calls of one file; again only if the file has changed."""
    return _read_cards(file, file.stat().st_mtime_ns, area, module, distribution)


@cache
def _read_cards(
    file: Path, changed_ns: int, area: str, module: str, distribution: str
) -> tuple[MethodCard, ...]:
    cards = []
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for facts in filter(None, map(_facts, node.decorator_list)):
            card = MethodCard(
                area=area,
                summary=(ast.get_docstring(node) or "").split("\n", 1)[0],
                class_name=node.name,
                module=module,
                distribution=distribution,
                **facts,
            )
            cards.append(card)
    return tuple(cards)


def _facts(decorator: ast.expr) -> dict[str, Any] | None:
    """Read what `@register(...)` or `@medunsup.register(...)` says; None for any other decorator.

    None also for a call that `register` itself would refuse, or whose arguments are no literals.
    """
    if not isinstance(decorator, ast.Call):
        return None
    called = decorator.func
    if getattr(called, "attr", getattr(called, "id", None)) != "register":
        return None
    try:
        given = [ast.literal_eval(value) for value in decorator.args]
        named = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in decorator.keywords}
        facts = signature(register).bind(*given, **named).arguments
    except (ValueError, TypeError, KeyError, IndexError, SyntaxError):
        return None
    words = all(isinstance(fact, str) for key, fact in facts.items() if key != "dims")
    return facts if words and isinstance(facts["dims"], tuple) else None
