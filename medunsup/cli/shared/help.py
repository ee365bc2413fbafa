"""Help that shows a value's name only for options that take a value, and whose sentences run on."""

from typing import Any

from typer.core import TyperCommand, TyperGroup


class Command(TyperCommand):
    """A verb whose switches stand without a type in its help."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.help = _unwrapped(self.help)

    def get_params(self, ctx: Any) -> list[Any]:
        """List the options and arguments, `--help` among them."""
        return _without_types(super().get_params(ctx))


class Group(TyperGroup):
    """The same for the options before the verb."""

    def get_params(self, ctx: Any) -> list[Any]:
        """List the options, `--help` and those of shell completion among them."""
        return _without_types(super().get_params(ctx))


def _unwrapped(text: str | None) -> str | None:
    """Join the lines of each paragraph, so that the terminal's width alone breaks them."""
    return text and "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _without_types(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters
