"""Which curves of a pretraining are drawn together, what they are called, and how they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, isfinite
from typing import TypeGuard

from medunsup.report.base.curves import Curves, Known, curves
from medunsup.report.base.numbers import significant

Row = Mapping[str, float | None]

FAR = 2  # times the highest loss: what lies above is named, not drawn
OWN, SECOND, GUESSES = "own", "second", ("guess a", "guess b", "guess c", "guess d")

# What needs no learning, by the names of the log.
WITHOUT_LEARNING = {
    "untouched": "items left as corrupted",
    "mean": "each item's mean intensity",
    "others": "mean of the other items",
    "proportions": "each item's own proportions",
    "copying": "copying the last slice",
    "linear": "extrapolating two slices",
}
LOSS_READ = (
    "It should fall, and end well below what needs no learning. How far it falls says little of how useful "
    "the features are."
)


@dataclass(frozen=True)
class Told:
    """A chart: its title, its drawing, and one sentence on how to read it."""

    title: str
    drawing: Curves
    reading: str


@dataclass(frozen=True)
class _Monitor:
    """A chart of figures that are watched: names in the legend by those of the log."""

    title: str
    names: Mapping[str, str]
    reading: str
    ends: tuple[float, float] | None = None


MONITORS = (
    _Monitor(
        "Named right",
        {"accuracy": "training items"},
        "Share of changes that the network names. It should rise above guessing; 1 at once means that the "
        "task is too easy to teach much.",
        (0, 1),
    ),
    _Monitor(
        "Tissue named right",
        {"agreement": "training items"},
        "Share of voxels whose most likely tissue is the one asked for. It should rise.",
        (0, 1),
    ),
    _Monitor(
        "Spread (std · √d)",
        {"feature_std": "features (kept)", "embedding_std": "embeddings (what the loss sees)"},
        "1: they point anywhere; 0: all alike, which is collapse. Features of small networks may stay at "
        "0.1.",
        (0, 1),
    ),
    _Monitor(
        "Effective rank",
        {"feature_rank": "features (kept)", "embedding_rank": "embeddings (what the loss sees)"},
        "How many dimensions are in use. It should not sink towards 1, where all items look the same.",
        (1, 1),
    ),
    _Monitor(
        "Alignment",
        {"alignment": "two views of an item"},
        "How far two views of one item lie apart, beside views of different items: 0 if they are recognised, "
        "1 if they have nothing in common. It should fall.",
        (0, 1),
    ),
    _Monitor(
        "Uniformity",
        {"uniformity": "features (kept)"},
        "How evenly features cover the sphere: lower is more even, 0 if all are one.",
        (0, 0),
    ),
    _Monitor(
        "Teacher",
        {"teacher_entropy": "entropy", "prototypes_used": "prototypes used"},
        "Entropy 1: the teacher says nothing; near 0 with few prototypes used: it says the same of all.",
        (0, 1),
    ),
    _Monitor(
        "Items with features of zeros",
        {"zero_share": "share"},
        "It should be 0: the encoder is dead for these items.",
        (0, 1),
    ),
)


def loss_chart(rows: Sequence[Row], loss: str, guessing: float | None, *, validated: bool) -> Told | None:
    """Draw the loss, that of validation if it means something, and what needs no learning."""
    names = {loss: "training", "validation": "validation", "next_slice": "measured sample"}
    if not validated:
        del names["validation"]
    found = {words: _column(rows, name) for name, words in names.items() if name in _names(rows)}
    styles = dict(zip(found, (OWN, SECOND, "third"), strict=False))
    highest = max((value for each in found.values() for value in each if _is_known(value)), default=0.0)
    above = []
    for n, (words, values) in enumerate(_without_learning(rows, guessing).items()):
        known = [value for value in values if _is_known(value)]
        if known and min(known) > FAR * highest:
            above.append(f"{words} ({significant(known[-1], 3)})")
        else:
            found[words], styles[words] = values, GUESSES[n % len(GUESSES)]
    drawing = curves(found, _epochs(rows), styles)
    told = f" Far above, not drawn: {', '.join(above)}." if above else ""
    return None if drawing is None else Told(f"Loss ({loss})", drawing, LOSS_READ + told)


def _without_learning(rows: Sequence[Row], guessing: float | None) -> dict[str, list[float | None]]:
    """Losses of what needs no learning, by their words."""
    found = {words: _column(rows, name) for name, words in WITHOUT_LEARNING.items() if name in _names(rows)}
    return found if guessing is None else found | {"guessing": [guessing] * len(rows)}


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and isfinite(value)


def monitor_charts(rows: Sequence[Row], guessing: float | None, *, names_changes: bool) -> list[Told]:
    """Draw what was watched, each chart that has figures; `names_changes` if the method names classes."""
    told = []
    for monitor in MONITORS:
        found = {words: _column(rows, name) for name, words in monitor.names.items() if name in _names(rows)}
        if monitor.title.startswith("Items") and not any(map(any, found.values())):
            continue
        styles = dict(zip(found, (OWN, SECOND), strict=False))
        if "accuracy" in monitor.names and found and names_changes and guessing is not None:
            found["guessing"], styles["guessing"] = [exp(-guessing)] * len(rows), GUESSES[0]
        drawing = curves(found, _epochs(rows), styles, ends=monitor.ends)
        if drawing is not None:
            told.append(Told(monitor.title, drawing, monitor.reading))
    return told


def knn_chart(rows: Sequence[Row], name: str, how: str, majority: float) -> Told | None:
    """Draw the accuracy of a vote of neighbours beside that of calling all by the commonest label."""
    found: dict[str, Known] = {"k-NN": _column(rows, name), "commonest label": [majority] * len(rows)}
    drawing = curves(found, _epochs(rows), {"k-NN": OWN, "commonest label": GUESSES[0]}, ends=(majority, 1))
    reading = (
        "Share of items whose label their neighbours of other subjects vote for. The higher above the dashed "
        f"line, the more the features know of the labels. {how}"
    )
    return None if drawing is None or name not in _names(rows) else Told("k-NN accuracy", drawing, reading)


def score_chart(rows: Sequence[Row], name: str, kept: int, *, chose: bool) -> Told | None:
    """Draw the score without labels, with a mark at the epoch that is kept."""
    drawing = curves({"RankMe": _column(rows, name)}, _epochs(rows), {"RankMe": OWN}, mark=kept)
    last = _column(rows, name)[-1]
    at = f"The vertical line marks epoch {kept}, whose weights are kept"
    why = ", as the score is highest there" if chose else ", the last one"
    told = f" The last epoch has {significant(last, 4)}." if chose and last is not None else ""
    reading = (
        "RankMe: dimensions that the features fill, unscaled (Garrido 2023). Higher was better for many "
        f"encoders, not for all; before training it may be high as well. {at}{why}.{told}"
    )
    return None if drawing is None else Told("Score without labels", drawing, reading)


def _names(rows: Sequence[Row]) -> set[str]:
    return {name for row in rows for name, value in row.items() if value is not None}


def _column(rows: Sequence[Row], name: str) -> list[float | None]:
    return [row.get(name) for row in rows]


def _epochs(rows: Sequence[Row]) -> list[float]:
    return [float(row["epoch"] or 0) for row in rows]
