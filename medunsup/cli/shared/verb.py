"""What every verb does alike: errors in one line, messages worded for the command line, an exit code."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

import typer

from medunsup.cli.shared.errors import KEPT, one_line_errors
from medunsup.core.hints import worded_for

Body = Callable[..., int | None]


def verb(*, kept: str = KEPT) -> Callable[[Body], Callable[..., None]]:
    """Return a decorator that makes a function a verb: what it returns is the exit code, None is 0.

    A parameter whose type is a dataclass stands for a group of options, the fields. `kept` says what is left
    of a command that was interrupted.
    """

    def made(body: Body) -> Callable[..., None]:
        parameters = signature(body).parameters.values()
        groups = {one.name: one.annotation for one in parameters if is_dataclass(one.annotation)}

        @wraps(body)
        def run(**given: Any) -> None:
            how = {name: bool(given.get(name)) for name in ("debug", "as_json", "quiet")}
            with worded_for(body.__name__), one_line_errors(**how, kept=kept):
                code = body(**_in_groups(given, groups))
            if code:
                raise typer.Exit(code)

        flat = [option for one in parameters for option in _options(one)]
        run.__signature__ = Signature(flat)  # type: ignore[attr-defined]
        run.__annotations__ = {option.name: option.annotation for option in flat}
        return run

    return made


def _options(parameter: Parameter) -> Iterator[Parameter]:
    """Yield the options that a parameter stands for, as Typer reads them from a signature."""
    if not is_dataclass(parameter.annotation):
        yield parameter.replace(kind=Parameter.KEYWORD_ONLY)
        return
    for one in fields(parameter.annotation):
        yield Parameter(one.name, Parameter.KEYWORD_ONLY, default=one.default, annotation=one.type)


def _in_groups(given: Mapping[str, Any], groups: Mapping[str, Any]) -> dict[str, Any]:
    """Put the values of options into their groups."""
    rest = dict(given)
    made = {
        name: group(**{one.name: rest.pop(one.name) for one in fields(group)})
        for name, group in groups.items()
    }
    return rest | made
