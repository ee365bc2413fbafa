"""A method fitted on a table, measured, with principal components beside it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.cohort.maps.result import MapFigures, ReductionResult
from medunsup.metrics.maps import continuity, trustworthiness, usual_neighbours

if TYPE_CHECKING:
    from medunsup.reduction.base import Reduction

Floats = NDArray[np.float64]

MOST_MEASURED = 5000  # rows: time and memory grow with their square


def fitted(
    table: FeatureTable, reduction: "Reduction", colour: tuple[str, Sequence[str]]
) -> tuple[ReductionResult, "Reduction"]:
    """Fit a method on the features of a table, and measure how well it keeps neighbours."""
    from medunsup.reduction.methods.pca import PCA

    places = reduction.fit_transform(table.values)
    n_axes = min(2, table.values.shape[1])
    is_pca = isinstance(reduction, PCA)
    pca = None if is_pca else PCA(n_components=n_axes, standardize=reduction.standardize).fit(table.values)
    chosen = _measured(table.values)
    result = ReductionResult(
        method=reduction.method_name,
        places=places,
        keys=table.keys,
        figures=_figures(reduction, chosen),
        pca=None if pca is None else pca.embedding_,
        pca_figures=None if pca is None else _figures(pca, chosen),
        modes=reduction.modes() if isinstance(reduction, PCA) else None,
        names=tuple(table.names),
        colour=colour,
        remarks=(*reduction.remarks_, *_of_measured(len(chosen), len(table))),
        about={
            "features": len(table.names),
            "placement": reduction.placement_,
            "parameters": reduction.get_params(),
        },
    )
    return result, reduction


def _measured(values: Floats) -> NDArray[np.intp]:
    """Return the distinct rows that are measured, evenly taken where there are very many."""
    first = np.sort(np.unique(values, axis=0, return_index=True)[1])
    if len(first) <= MOST_MEASURED:
        return first
    return first[np.linspace(0, len(first) - 1, MOST_MEASURED).astype(np.intp)]


def _figures(reduction: "Reduction", chosen: NDArray[np.intp]) -> MapFigures:
    """Measure a map against the features as the method saw them."""
    rows, places = reduction.scaled(chosen), reduction.embedding_[chosen]
    k = usual_neighbours(len(rows))
    explained = () if reduction.explained_ is None else tuple(map(float, reduction.explained_))
    return MapFigures(
        trustworthiness(rows, places, neighbours=k), continuity(rows, places, neighbours=k), k, explained
    )


def _of_measured(n: int, n_rows: int) -> tuple[str, ...]:
    return (f"Neighbours were compared among {n} of {n_rows} rows.",) if n == MOST_MEASURED else ()
