"""The command line that this process was started with, for whoever must say how to go on."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_words: tuple[str, ...] | None = None


@contextmanager
def invoked_with(words: Sequence[str]) -> Iterator[None]:
    """Keep the words after `medunsup` for as long as the command runs."""
    global _words
    before, _words = _words, tuple(words)
    try:
        yield
    finally:
        _words = before


def command_words() -> list[str] | None:
    """Return the whole command, as words; None if Python calls."""
    return None if _words is None else ["medunsup", *_words]
