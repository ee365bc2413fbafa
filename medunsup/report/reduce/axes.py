"""What axes are made of: correlations of features with them as bars, and scans along them as pictures."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.maps.result import ReductionResult
from medunsup.core.geometry import Affine
from medunsup.report.base.numbers import minus
from medunsup.report.base.thumbnail import in_grey, in_two_colours, reach_of

MOST_FEATURES, MOST_AXES = 24, 3
STEP, NAMES, PANEL, GAP = 18.0, 240.0, 160.0, 20.0

Image = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class AxisImages:
    """Scans along axes, on the template grid: (I, J, K) float32 each.

    `changes` holds for each axis by name how much brighter a voxel is one standard deviation along it;
    `inside` says where half of the `n` brains reach.
    """

    n: int
    mean: Image
    inside: NDArray[np.bool_]
    changes: dict[str, Image]
    affine: Affine


@dataclass(frozen=True)
class Bar:
    """One correlation: from `x` on, so wide."""

    x: float
    width: float
    sign: str
    said: str


@dataclass(frozen=True)
class FeatureRow:
    """One feature: its name, and a bar for each axis."""

    name: str
    y: float
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Panel:
    """An axis, drawn about `middle`."""

    name: str
    middle: float


@dataclass(frozen=True)
class Loadings:
    """A drawing of `width` by `height`; `left_out` counts features that are not in it."""

    rows: tuple[FeatureRow, ...]
    panels: tuple[Panel, ...]
    width: float
    height: float
    left_out: int
    names_end: float = NAMES - 8


@dataclass(frozen=True)
class AxisPictures:
    """Data addresses of the mean and of the change along each axis; `reach` is where colours are full."""

    n: int
    mean: str
    axes: tuple[tuple[str, str], ...]
    reach: float


def loadings(result: ReductionResult) -> Loadings | None:
    """Draw the features that correlate most with the first axes; None where there are no loadings."""
    if result.loadings is None:
        return None
    values = result.loadings[:MOST_AXES]
    panels = tuple(
        Panel(name, NAMES + n * (PANEL + GAP) + PANEL / 2)
        for n, name in enumerate(result.axes[: len(values)])
    )
    order = np.argsort(-np.abs(values).max(axis=0), kind="stable")[:MOST_FEATURES]
    rows = tuple(
        FeatureRow(
            result.names[feature],
            (place + 0.5) * STEP,
            tuple(_bar(panel, float(value)) for panel, value in zip(panels, values[:, feature], strict=True)),
        )
        for place, feature in enumerate(order)
    )
    width = NAMES + len(panels) * (PANEL + GAP)
    return Loadings(rows, panels, width, len(rows) * STEP, values.shape[1] - len(rows))


def pictures(images: AxisImages) -> AxisPictures:
    """Draw the mean and the changes, all changes on one scale."""
    reach = reach_of(list(images.changes.values()))
    return AxisPictures(
        images.n,
        in_grey(images.mean, images.affine, images.inside),
        tuple(
            (name, in_two_colours(change, images.affine, images.inside, reach))
            for name, change in images.changes.items()
        ),
        reach,
    )


def _bar(panel: Panel, value: float) -> Bar:
    long = round(abs(value) * PANEL / 2, 1)
    start = panel.middle if value >= 0 else panel.middle - long
    return Bar(round(start, 1), long, "more" if value >= 0 else "less", minus(f"{panel.name}: {value:+.2f}"))
