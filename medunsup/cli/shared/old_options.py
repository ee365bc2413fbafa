"""Options that have another name now: the old one is taken for a while, and said so."""

from collections.abc import Iterator, Sequence

import typer

NEW_OF = {"--false-findings": "--fp-per-scan", "--planted": "--synthetic"}


def by_new_names(words: Sequence[str]) -> list[str]:
    """Return a command line with options by their new names; what stands behind -- stays as it is."""
    own = words[: words.index("--")] if "--" in words else words
    return [*_renamed(own), *words[len(own) :]]


def _renamed(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        name, equals, value = word.partition("=")
        if name in NEW_OF:
            typer.echo(f"{name} is called {NEW_OF[name]} now; the old name will go.", err=True)
        yield NEW_OF.get(name, name) + equals + value
