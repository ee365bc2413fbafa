"""A card: picture, verdict and numbers in a few kilobytes of HTML that needs nothing else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from medunsup.report.base.numbers import minus
from medunsup.report.base.render import number

TONES = {
    "good": "#0B6E4F",
    "plain": "#4A5568",
    "look": "#B7791F",
    "bad": "#B3261E",
}
MOST_ROWS = 12
BOX = (
    "font-family:system-ui,sans-serif;font-size:13px;line-height:1.45;max-width:44em;padding:.6em .8em;"
    "border:1px solid rgba(128,128,128,.4);border-radius:6px;overflow-x:auto"
)
CELL = "padding:.1em .8em .1em 0;text-align:left;vertical-align:top;background:none;border:none"


@dataclass(frozen=True)
class Card:
    """What a card says; every text is escaped, `picture` alone is HTML.

    `verdict` stands in the colour of `tone`; `rows` is a table under `head`; `sentences` end the card.
    """

    title: str
    subtitle: str = ""
    verdict: str = ""
    tone: str = "plain"
    picture: Markup = field(default_factory=Markup)
    facts: Mapping[str, Any] = field(default_factory=dict)
    head: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    sentences: Sequence[str] = ()


def draw(card: Card) -> str:
    """Return the card as HTML."""
    parts = [Markup("<b>{}</b>").format(card.title)]
    if card.subtitle:
        parts.append(Markup(' <span style="opacity:.7">{}</span>').format(card.subtitle))
    if card.verdict:
        line = (
            '<div style="border-left:4px solid {};padding-left:.5em;margin:.35em 0;font-weight:600">{}</div>'
        )
        parts.append(Markup(line).format(TONES[card.tone], card.verdict))
    parts.append(card.picture)
    if card.facts:
        parts.append(_table([], [[name, worded(value)] for name, value in card.facts.items()]))
    if card.rows:
        parts.append(_table(card.head, [[worded(value) for value in row] for row in card.rows[:MOST_ROWS]]))
    if len(card.rows) > MOST_ROWS:
        parts.append(Markup("<div>… and {} more</div>").format(len(card.rows) - MOST_ROWS))
    parts += [Markup("<div>{}</div>").format(sentence) for sentence in card.sentences]
    return str(Markup('<div class="medunsup-card" style="{}">{}</div>').format(BOX, Markup().join(parts)))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Markup:
    """Draw rows of words; the first column names them."""
    lines = [Markup().join(_cell("th", name) for name in head)] if head else []
    lines += [Markup().join(_cell("td", word) for word in row) for row in rows]
    body = Markup().join(Markup("<tr>{}</tr>").format(line) for line in lines)
    return Markup(
        '<table style="border:none;margin:.35em 0;border-collapse:collapse;font-size:inherit">{}</table>'
    ).format(body)


def _cell(tag: str, word: str) -> Markup:
    return Markup('<{0} style="{1}">{2}</{0}>').format(Markup(tag), CELL, word)


def worded(value: Any) -> str:
    """Write a number as pages do; anything else as it is."""
    return number(value) if isinstance(value, int | float) else minus(str(value))
