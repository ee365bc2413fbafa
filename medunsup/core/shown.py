"""What shows itself, in a notebook or in words: a result says that it does, the report says how."""

from importlib import import_module

CARDS = "medunsup.report.notebook.cards"  # found by name, as methods are: results lie below the pages


class Shown:
    """Mixin of results that a notebook shows as a small card, picture, verdict, numbers, and `repr` in words.

    A dataclass must be one with `repr=False`, else its `repr` is all its arrays.
    """

    def __repr__(self) -> str:
        """Say what it is and its verdict, not every value of it."""
        words = import_module(CARDS).words_of(self)
        return object.__repr__(self) if words is None else f"<{type(self).__name__}: {words}>"

    def _repr_html_(self) -> str | None:
        """Return a small self-contained piece of HTML, for notebooks."""
        card: str | None = import_module(CARDS).html_of(self)
        return card
