"""Colours of the rows of a map by a covariate: a scale for numbers, a few colours for words."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medunsup.report.base.heatmap import ANCHORS
from medunsup.report.base.numbers import significant
from medunsup.report.base.scatter_plot.palette import OKABE_ITO as COLOURS
from medunsup.report.base.scatter_plot.palette import UNKNOWN

PLAIN = COLOURS[0]
STEPS = 5  # colours of the legend of a scale
FEW = 7  # numbers that are drawn as words if there are no more different ones


@dataclass(frozen=True)
class Colouring:
    """The colour of each row, and the legend: words and their colours."""

    name: str
    colours: tuple[str, ...]
    legend: tuple[tuple[str, str], ...]


def colouring(name: str, cells: Sequence[str], n_rows: int) -> Colouring:
    """Colour rows by the cells of a covariate; all alike without one."""
    if not name:
        return Colouring("", (PLAIN,) * n_rows, ())
    numbers = _numbers(cells)
    if numbers is not None and len(np.unique(numbers[np.isfinite(numbers)])) > FEW:
        return _by_number(name, numbers)
    return _by_word(name, cells)


def _by_number(name: str, numbers: np.ndarray) -> Colouring:
    known = numbers[np.isfinite(numbers)]
    low, high = float(known.min()), float(known.max())
    shares = (numbers - low) / (high - low)
    colours = tuple(_between(share) if np.isfinite(share) else UNKNOWN for share in shares)
    steps = np.linspace(0, 1, STEPS)
    legend = [(significant(low + float(share) * (high - low), 3), _between(float(share))) for share in steps]
    return Colouring(name, colours, tuple(legend + _unknown(len(known) < len(numbers))))


def _by_word(name: str, cells: Sequence[str]) -> Colouring:
    counts = Counter(cell for cell in cells if not _is_unknown(cell))
    named = sorted(word for word, _ in counts.most_common(len(COLOURS)))
    of = dict(zip(named, COLOURS, strict=False))
    n_other = sum(counts.values()) - sum(counts[word] for word in named)
    legend = [(f"{word} ({counts[word]})", of[word]) for word in named]
    legend += [(f"{len(counts) - len(named)} others ({n_other})", UNKNOWN)] if n_other else []
    colours = tuple(of.get(cell, UNKNOWN) for cell in cells)
    return Colouring(name, colours, tuple(legend + _unknown(any(map(_is_unknown, cells)))))


def _unknown(is_there: bool) -> list[tuple[str, str]]:
    return [("not known", UNKNOWN)] if is_there else []


def _is_unknown(cell: str) -> bool:
    return cell.strip().lower() in ("", "n/a", "nan", "na", "none")


def _numbers(cells: Sequence[str]) -> np.ndarray | None:
    try:
        return np.array([np.nan if _is_unknown(cell) else float(cell) for cell in cells])
    except ValueError:
        return None


def _between(share: float) -> str:
    """Return a colour of the scale from purple (0) to yellow (1)."""
    at = np.linspace(0, 1, len(ANCHORS) - 1)  # the lightest is lost on white paper
    channels = (round(np.interp(share, at, [anchor[n] for anchor in ANCHORS[:-1]])) for n in range(3))
    return "#{:02x}{:02x}{:02x}".format(*channels)
