"""What is wrong with a docstring: numpydoc's own checks, and whether it says what the code does."""

import builtins
import inspect
import re
from abc import ABC
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cached_property
from typing import Literal, get_args, get_origin, get_type_hints

from numpydoc.docscrape import NumpyDocString, get_doc_object
from numpydoc.validate import validate

import medunsup
from medunsup.core.config import Config

WORDING = {"GL03", "GL05", "GL06", "GL07", "GL08", "GL10", "SS01", "SS02", "SS03", "SS04", "SS06"}
PARAMETERS = {"PR01", "PR02", "PR03", "PR04", "PR05", "PR06", "PR07", "PR08", "PR09", "PR10"}
RESULTS = {"RT01", "RT02", "RT03", "RT04", "RT05", "YD01"}
EXAMPLES = {"EX01"}
RAISES_IN_PROSE = re.compile(r"\b[Rr]aises [A-Z]\w+")


def faults(of: object, codes: set[str]) -> list[str]:
    """What numpydoc has to say against one docstring."""
    found = validate(get_doc_object(of))["errors"]
    return [f"{getattr(of, '__qualname__', of)}: {text}" for code, text in found if code in codes]


def named(of: object, section: str) -> list[str]:
    """Names that a section of a docstring documents, in its order."""
    return [
        name
        for one in NumpyDocString(inspect.getdoc(of) or "")[section]
        for name in (one.name or one.type).split(", ")
    ]


def function_faults(function: object) -> list[str]:
    """Complain of what a function's docstring lacks, or says otherwise than the code."""
    found = faults(function, WORDING | PARAMETERS | RESULTS)
    raised = [name for name in named(function, "Raises") if name != "NotFittedError"]  # scikit-learn's
    found += [f"{function}: no error is called {name}" for name in raised if not is_error(name)]
    found += [f"{function}: what it raises stands in prose"] * in_prose(function)
    return found + signature_faults(function)


def signature_faults(of: object) -> list[str]:
    """Complain of a default that is another or not told, and of a word that is not told."""
    found = []
    for one in NumpyDocString(inspect.getdoc(of) or "")["Parameters"]:
        parameter = inspect.signature(of).parameters.get(one.name)  # type: ignore[arg-type]
        if parameter is None or parameter.default is inspect.Parameter.empty:
            is_right = "optional" not in one.type and "default" not in one.type
        elif parameter.default is None or "factory" in repr(parameter.default):
            is_right = one.type.endswith((", optional", "default None"))
        else:
            told = one.type.rpartition("default ")[2]
            is_right = told == repr(parameter.default)
        found += [f"{of}: the default of {one.name} is not {one.type!r}"] * (not is_right)
        words = literals(parameter.annotation) if parameter else []
        found += [f"{of}: {one.name} takes {word!r} as well" for word in words if repr(word) not in one.type]
    return found


def literals(hint: object) -> list[object]:
    """Collect the words that a type such as `int | Literal["auto"]` allows."""
    inner = get_args(hint)
    return list(inner) if get_origin(hint) is Literal else [word for one in inner for word in literals(one)]


def is_error(name: str) -> bool:
    return hasattr(medunsup.errors, name) or hasattr(builtins, name)


def in_prose(of: object) -> bool:
    return bool(RAISES_IN_PROSE.search(inspect.getdoc(of) or ""))


def class_faults(cls: type) -> list[str]:
    """Complain of a class, and of the methods and properties that it defines itself."""
    if issubclass(cls, Exception):
        return faults(cls, WORDING)
    if issubclass(cls, Config):
        return config_faults(cls)
    found = [fault for one in own_methods(cls) for fault in function_faults(one) + example_faults(one, cls)]
    found += [f"{cls}: {one}" for one in own_properties(cls) if not (one.__doc__ or "").strip().endswith(".")]
    if is_dataclass(cls) and named(cls, "Attributes"):  # what users read, seldom make
        return found + field_faults(cls) + faults(cls, WORDING | EXAMPLES)
    makes = set() if getattr(cls, "_is_protocol", False) else PARAMETERS
    return found + faults(cls, WORDING | EXAMPLES | makes) + signature_faults(cls)


def own_methods(cls: type) -> Iterator[object]:
    """Yield the public methods that a class defines itself."""
    for name, one in vars(cls).items():
        function = getattr(one, "__func__", one)
        if (
            not name.startswith("_")
            and inspect.isfunction(function)
            and function.__module__ == cls.__module__
        ):
            yield getattr(cls, name)


def own_properties(cls: type) -> Iterator[object]:
    for name, one in vars(cls).items():
        if not name.startswith("_") and isinstance(one, property | cached_property):
            yield one


def example_faults(function: object, cls: type) -> list[str]:
    """Complain of a method that no example shows, its own or its class's; a base class is for authors."""
    is_base = ABC in cls.__mro__ or getattr(cls, "_is_protocol", False)
    is_shown = f".{function.__name__}(" in (cls.__doc__ or "")
    return [] if is_base or is_shown else faults(function, EXAMPLES)


def field_faults(cls: type) -> list[str]:
    """Complain of a dataclass whose docstring lists others than its fields."""
    own, told = [each.name for each in fields(cls)], [*named(cls, "Parameters"), *named(cls, "Attributes")]
    return [f"{cls} documents {told}, but has {own}"] * (told != own)


def config_faults(config: type[Config]) -> list[str]:
    """Complain of fields without a description, and of a docstring that lists others than there are."""
    found = [f"{config}: {name}" for name, field in config.model_fields.items() if not field.description]
    told, own = named(config, "Parameters"), list(config.model_fields)
    found += [f"{config} documents {told}, but has {own}"] * (told != own)
    return found + (faults(config, WORDING | PARAMETERS) if own else [])


def parts_of(classes: list[type]) -> set[type]:
    """Collect the dataclasses that fields of these hold, those in turn hold, and so on."""
    found: set[type] = set()
    waiting = list(classes)
    while waiting:
        cls = waiting.pop()
        if cls not in found:
            found.add(cls)
            hints = get_type_hints(cls)
            waiting += [one for each in fields(cls) for one in dataclasses_in(hints[each.name])]
    return found


def dataclasses_in(hint: object) -> Iterator[type]:
    for one in (hint, get_origin(hint)):
        if inspect.isclass(one) and is_dataclass(one) and one.__module__.startswith("medunsup."):
            yield one
    for inner in get_args(hint):
        yield from dataclasses_in(inner)
