"""The three numbers at the top of a page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Headline:
    """One of the three numbers of the first screen."""

    name: str
    value: str
    unit: str
    note: str
    colour: str = ""
