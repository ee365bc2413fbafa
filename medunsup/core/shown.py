"""What shows itself in a notebook: a result says that it does, the report says how."""

from importlib import import_module

CARDS = "medunsup.report.notebook.cards"  # found by name, as methods are: results lie below the pages


class Shown:
    """Mixin of results that a notebook shows as a small card: picture, verdict, numbers."""

    def _repr_html_(self) -> str | None:
        """Return a small self-contained piece of HTML, for notebooks."""
        card: str | None = import_module(CARDS).html_of(self)
        return card
