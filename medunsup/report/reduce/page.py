"""The page of a map: its figures and picture, principal components beside it, what may not be read."""

from typing import Any

import numpy as np

from medunsup.cohort.maps.result import MapFigures, ReductionResult
from medunsup.core.version import __version__
from medunsup.report.base.headline import Headline
from medunsup.report.base.numbers import significant
from medunsup.report.base.render import render
from medunsup.report.base.scatter_plot.scatter import Scatter, scatter
from medunsup.report.base.text import DISCLAIMER
from medunsup.report.reduce import words
from medunsup.report.reduce.axes import AxisImages, loadings, pictures
from medunsup.report.reduce.colouring import colouring

MOST_FEATURES = 10
PCA_AXES = ("pca_1", "pca_2")


def page(result: ReductionResult, images: AxisImages | None = None) -> str:
    """Return the page. It loads nothing from outside and needs no JavaScript.

    `images` are what scans look like along the axes, where they are known.
    """
    colours = colouring(*result.colour, len(result.places))
    own = scatter(
        result.places,
        colours.colours,
        result.label,
        _two(result.axes),
        background=result.background,
    )
    beside: Scatter | None = None
    if result.pca is not None:
        beside = scatter(result.pca, colours.colours, result.label, PCA_AXES)
    return render(
        "reduce.html.j2",
        result=result,
        title=words.title(result),
        sentences=words.sentences(result),
        headline=_headline(result),
        colours=colours,
        own=own,
        beside=beside,
        beside_figures=words.figures_of(result.pca_figures),
        modes=_modes(result),
        loadings=loadings(result),
        changes=None if images is None else pictures(images),
        is_standardised=bool(result.about.get("parameters", {}).get("standardize")),
        limits=words.limits(result),
        about={name: value for name, value in result.about.items() if name != "parameters"},
        parameters=result.about.get("parameters", {}),
        version=__version__,
        disclaimer=DISCLAIMER,
    )


def _two(axes: tuple[str, ...]) -> tuple[str, str]:
    return axes[0], axes[1] if len(axes) > 1 else ""


def _headline(result: ReductionResult) -> list[Headline]:
    """Name the three numbers of the first screen."""
    figures = result.figures
    if figures is None:
        fitted = 0 if result.background is None else len(result.background)
        unlike = 0 if result.typicality is None else int((result.typicality <= words.UNLIKE).sum())
        return [
            Headline("New rows", str(len(result.places)), "", "placed one at a time"),
            Headline("Fitted rows", str(fitted), "", "distinct ones, drawn in grey"),
            Headline("Unlike all fitted", str(unlike), "rows", "farther than 95 % of these from one another"),
        ]
    found = [
        Headline("Trustworthiness", f"{figures.trustworthiness:.3f}", "", words.TRUST),
        Headline("Continuity", f"{figures.continuity:.3f}", "", words.CONTINUITY),
    ]
    return [*found, _third(result, figures)]


def _third(result: ReductionResult, figures: MapFigures) -> Headline:
    if result.pca_figures is not None:
        return Headline(
            "Trustworthiness of PCA",
            f"{result.pca_figures.trustworthiness:.3f}",
            "",
            "what two straight axes reach",
        )
    share = 100 * sum(figures.explained)
    return Headline("Variance explained", f"{share:.0f}", "%", f"by {len(figures.explained)} axes together")


def _modes(result: ReductionResult) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """List for each axis the features that change most along it: name, two deviations below and above."""
    if result.modes is None:
        return []
    spread = np.ptp(result.modes, axis=1)
    largest = np.maximum(spread.max(axis=0), np.finfo(float).tiny)
    found: list[tuple[str, Any]] = []
    for axis, (low, high), changed in zip(result.axes, result.modes, spread / largest, strict=True):
        order = np.argsort(-changed * _in_deviations(result)[result.axes.index(axis)], kind="stable")
        rows = [
            (result.names[n], significant(float(low[n]), 4), significant(float(high[n]), 4))
            for n in order[:MOST_FEATURES]
        ]
        found.append((axis, rows))
    return found


def _in_deviations(result: ReductionResult) -> Any:
    """Return how far each feature changes along each axis, in its own spread over all axes."""
    spread = np.ptp(result.modes, axis=1)  # type: ignore[arg-type]
    return spread / np.maximum(np.sqrt(np.square(spread).sum(axis=0)), np.finfo(float).tiny)
