"""The page of a fine-tuned network: verdict, Dice of all networks, one picture a test scan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from medunsup.core.labels import Label
from medunsup.core.version import __version__
from medunsup.metrics.bootstrap import Estimate
from medunsup.report.base.curves import Curves
from medunsup.report.base.efficiency import Efficiency
from medunsup.report.base.images import those_that_fit
from medunsup.report.base.numbers import minus
from medunsup.report.base.render import render
from medunsup.report.base.text import DISCLAIMER, Shown

if TYPE_CHECKING:
    from medunsup.report.finetune.classes import ByClass

SIGNS: dict[Shown, str] = {"pass": "✓", "partial": "–", "check": "!", "fail": "✕"}
LIMIT = "Intervals hold for subjects like these, scanned like these."
DICE_LIMIT = "Dice flatters large structures: see each label."
HEADING = "Fine-tuned, beside training from scratch"
WORDS = "It is"  # column of words


@dataclass(frozen=True)
class Row:
    """One row of a table: its name and cells; the main one is set in bold."""

    name: str
    cells: Sequence[str]
    is_main: bool = False


@dataclass(frozen=True)
class Table:
    """Rows below the names of their columns, the first being that of the rows' names."""

    columns: Sequence[str]
    rows: Sequence[Row]
    words: str = WORDS


@dataclass(frozen=True)
class Chart:
    """A drawing with its title and what is to be known of it."""

    title: str
    drawing: Efficiency
    caption: str


@dataclass(frozen=True)
class Watched:
    """A drawing of what was watched while networks learned, with its title and how to read it."""

    title: str
    drawing: Curves
    caption: str


@dataclass(frozen=True)
class ByShare:
    """What networks come to with shares of the labels: drawings and a table."""

    charts: Sequence[Chart]
    table: Table
    hint: str


@dataclass(frozen=True)
class Scan:
    """One test scan: its name, mean Dice by network, its picture as a data address."""

    name: str
    dice: Mapping[str, float]
    picture: str


@dataclass(frozen=True)
class Page:
    """Everything that the page shows; `about` are facts by name, `kept` why a network was chosen."""

    title: str
    verdict: str
    tone: Shown
    meaning: str
    measure: str
    table: Table
    hint: str
    remarks: Sequence[str]
    about: Mapping[str, str]
    efficiency: ByShare | None = None
    by_class: "ByClass | None" = None
    heading: str = HEADING
    kept: str = ""
    watched: Sequence[Watched] = ()
    labels: Sequence[Label] = ()
    scans: Sequence[Scan] = ()
    limits: Sequence[str] = (LIMIT,)


def finetune_page(page: Page) -> str:
    """Return the page as HTML; it loads nothing from outside and needs no JavaScript."""
    fitting = those_that_fit([scan.picture for scan in page.scans])
    return render(
        "finetune.html.j2",
        page=page,
        sign=SIGNS[page.tone],
        pictures=list(zip(page.scans, fitting, strict=True)),
        limits=page.limits,
        figure=figure,
        version=__version__,
        disclaimer=DISCLAIMER,
    )


def figure(value: float | None, *, signed: bool = False) -> str:
    """Write a Dice or AUC: three decimals, a dash if it is not known."""
    if value is None or value != value:
        return "–"
    return minus(f"{value:+.3f}" if signed else f"{value:.3f}")


def interval(estimate: Estimate, *, signed: bool = False) -> str:
    """Write a mean with its interval: "0.912 [0.901, 0.922]"."""
    told = figure(estimate.value, signed=signed)
    if estimate.low != estimate.low:
        return told
    return f"{told} [{figure(estimate.low, signed=signed)}, {figure(estimate.high, signed=signed)}]"
