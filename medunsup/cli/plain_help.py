"""Help that shows a value's name only for options that take a value."""

from typing import Any

from typer.core import TyperCommand, TyperGroup


class Command(TyperCommand):
    """A verb whose switches stand without a type in its help."""

    def get_params(self, ctx: Any) -> list[Any]:
        """List the options and arguments, `--help` among them."""
        return _without_types(super().get_params(ctx))


class Group(TyperGroup):
    """The same for the options before the verb."""

    def get_params(self, ctx: Any) -> list[Any]:
        """List the options, `--help` and those of shell completion among them."""
        return _without_types(super().get_params(ctx))


def _without_types(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters
