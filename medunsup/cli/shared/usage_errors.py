"""Errors in the command line itself as JSON, where --json is on it: they come before a verb's own handler."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer

from medunsup.cli.shared.errors import INTERRUPTED, WRONG_USE
from medunsup.cli.shared.help import Group
from medunsup.cli.shared.json_output import print_json
from medunsup.cli.shared.old_options import by_new_names
from medunsup.core.invocation import invoked_with

ClickUsageError: Any = typer.BadParameter.__mro__[1]  # whichever copy of Click this Typer is built on

# What pydantic, by which some Typers read values, says of a word that is no number; and how we say it.
WORDS = {
    "Value error, ": "",
    "Input should be a valid integer, unable to parse string as an integer": "Give a whole number.",
    "Input should be a valid number, unable to parse string as a number": "Give a number.",
}


class App(Group):
    """The command, whose wrong options, values and verbs are told on stderr and, if asked for, as JSON."""

    def main(self, args: Sequence[str] | None = None, *more: Any, **named: Any) -> Any:
        """Run the command line, this process's own if none is given."""
        words = by_new_names(sys.argv[1:] if args is None else args)
        self.as_json = "--json" in (words[: words.index("--")] if "--" in words else words)
        with invoked_with(words):
            return super().main(words, *more, **named)

    def make_context(self, *args: Any, **named: Any) -> Any:
        """Read the words before the verb."""
        with self._told():
            return super().make_context(*args, **named)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the verb, which may be of two words: `cluster patches`."""
        both = " ".join(args[:2])
        if both in self.commands:
            return both, self.commands[both], args[2:]
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Read the verb's words and run it."""
        with self._told():
            return super().invoke(ctx)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Print what is wrong as the one object that --json promises; Typer prints it to stderr."""
        try:
            yield
        except ClickUsageError as error:
            error.message = _in_words(error.message)
            if self.as_json:
                print_json({"error": " ".join(error.format_message().split()), "exit_code": WRONG_USE})
            raise
        except KeyboardInterrupt:  # before or after a verb's own handler
            if self.as_json:
                print_json({"error": "Interrupted.", "exit_code": INTERRUPTED})
            raise


def _in_words(message: str) -> str:
    """Say in plain words what a library says of a value."""
    for theirs, ours in WORDS.items():
        message = message.replace(theirs, ours)
    return message
