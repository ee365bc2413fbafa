"""How the number of clusters was chosen: the rule, the curves of other criteria in one picture, the null."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.clustering.choosing.choose import KChoice
from medunsup.clustering.choosing.null import NullComparison
from medunsup.cohort.clusters.parts import Stability
from medunsup.report.base.charts import Tick
from medunsup.report.base.curves import Curves, curves

WIDTH, STEP = 560.0, 46.0
STYLES = {"silhouette": "a", "gap": "b", "stability": "c", "bic": "d", "aic": "e", "inertia": "f"}
IS_LESS_BETTER = {"bic", "aic", "inertia"}
NAMES = {"inertia": "elbow", "bic": "BIC", "aic": "AIC", "gap": "gap statistic"}
READINGS = {
    "elbow": "where the squared distances to the means stop falling fast",
    "silhouette": "where rows lie nearest their own cluster beside the next one",
    "bic": "least BIC of mixtures of Gaussians",
    "aic": "least AIC of the same mixtures",
    "gap": "the first gap to evenly spread rows that the next does not exceed by a standard error",
    "stability": "where clusters of two halves agree best",
    "dirichlet": "weights above 2 % of a Dirichlet-process mixture",
}
NULLS = {"gaussian": "one Gaussian", "shuffled": "each feature shuffled"}


@dataclass(frozen=True)
class Proposal:
    """What a criterion would choose by itself."""

    name: str
    k: int
    reading: str


@dataclass(frozen=True)
class NullRow:
    """Draws without clusters on one line, with its p-values."""

    name: str
    y: float
    places: tuple[float, ...]
    stability_p: float
    tightness_p: float
    p: float


@dataclass(frozen=True)
class NullPicture:
    """Stability of draws without clusters beside that of the rows, in a drawing of `width` by `height`."""

    rows: tuple[NullRow, ...]
    own: float | None
    ticks: tuple[Tick, ...]
    height: float
    width: float = WIDTH


def criteria(choice: KChoice | None) -> Curves | None:
    """Draw every criterion over K, each from 0 (worst) to 1 (best); None where they were not measured."""
    if choice is None or choice.curves is None:
        return None
    found = {}
    for name in STYLES:
        given = getattr(choice.curves, name)
        if name == "stability":  # one cluster always comes again
            given = [float("nan") if k == 1 else value for k, value in zip(choice.ks, given, strict=True)]
        values = _normalised(given, turned=name in IS_LESS_BETTER)
        if values is not None:
            found[NAMES.get(name, name)] = values
    styles = {NAMES.get(name, name): style for name, style in STYLES.items()}
    mark = None if len(choice.ks) < 2 else float(choice.k)
    return curves(found, choice.ks, styles, ends=(0.0, 1.0), mark=mark)


def proposed(choice: KChoice | None) -> tuple[Proposal, ...]:
    """List what each criterion would choose."""
    if choice is None:
        return ()
    names = {**NAMES, "elbow": "elbow", "dirichlet": "Dirichlet process"}
    return tuple(
        Proposal(names.get(name, name), choice.proposals[name], reading)
        for name, reading in READINGS.items()
        if name in choice.proposals
    )


def null_picture(stability: Stability | None) -> NullPicture | None:
    """Draw the stability of draws without clusters; None where nothing was compared."""
    if stability is None or not stability.nulls:
        return None
    every = [value for null in stability.nulls for value in null.stability]
    own = None if stability.halves is None else stability.halves.mean
    low = min(0.0, *every, *([] if own is None else [own]))

    def across(values: Sequence[float]) -> tuple[float, ...]:
        return tuple(round((value - low) / (1.0 - low) * WIDTH, 1) for value in values)

    rows = tuple(_row(null, n, across(null.stability)) for n, null in enumerate(stability.nulls))
    marks = (0.0, 0.25, 0.5, 0.75, 1.0)
    ticks = tuple(Tick(place, f"{value:g}") for place, value in zip(across(marks), marks, strict=True))
    return NullPicture(rows, None if own is None else across([own])[0], ticks, STEP * len(rows))


def _row(null: NullComparison, n: int, places: tuple[float, ...]) -> NullRow:
    return NullRow(
        NULLS.get(null.kind, null.kind),
        STEP * (n + 0.6),
        places,
        null.stability_p,
        null.tightness_p,
        null.p,
    )


def _normalised(values: Sequence[float], *, turned: bool) -> list[float | None] | None:
    numbers: NDArray[np.float64] = np.array(values, float) * (-1 if turned else 1)
    known = numbers[np.isfinite(numbers)]
    if known.size < 2 or np.ptp(known) == 0:
        return None
    scaled = (numbers - known.min()) / np.ptp(known)
    return [float(value) if np.isfinite(value) else None for value in scaled]
