"""A method fitted on a table, measured, with principal components beside it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.feature_table.stream import FeatureStream
from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.cohort.maps.result import MapFigures, ReductionResult
from medunsup.metrics.maps import continuity, trustworthiness, usual_neighbours

if TYPE_CHECKING:
    from medunsup.reduction.base import Reduction
    from medunsup.reduction.methods.pca import PCA

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
        loadings=_loadings(table.values, places) if is_pca else None,
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


def streamed(stream: FeatureStream, pca: "PCA", colour: tuple[str, Sequence[str]]) -> ReductionResult:
    """Fit principal components on rows that come in batches; neighbours are measured in those kept."""
    pca.fit_stream(stream.batches)
    kept = stream.rows(pca.sample_)
    chosen = _measured(kept.values)
    n = len(pca.sample_)
    sampled = (
        f"The table was read in batches: axes and places are of all {len(stream)} rows, and {n} of them, "
        "evenly drawn, stand for all where new rows are compared.",
    )
    return ReductionResult(
        method=pca.method_name,
        places=pca.embedding_,
        keys=stream.table.keys,
        figures=_figures(pca, chosen, pca.sample_),
        modes=pca.modes(),
        loadings=_loadings(kept.values, pca.embedding_[pca.sample_]),
        names=stream.names,
        colour=colour,
        remarks=(*pca.remarks_, *(sampled if n < len(stream) else ()), *_of_measured(len(chosen), n)),
        about={
            "features": len(stream.names),
            "placement": pca.placement_,
            "parameters": pca.get_params(),
            "streamed": True,
        },
    )


def _loadings(rows: Floats, places: Floats) -> Floats:
    """Return the correlation (q, D) of each feature with each axis; 0 where either is the same in all."""
    scaled = []
    for each in (places, rows):
        ordered = np.ascontiguousarray(each)  # sums of rows differ in the last bit by their order in memory
        apart = ordered - ordered.mean(axis=0)
        length = np.sqrt((apart**2).sum(axis=0))
        scaled.append(apart / np.where(length > 0, length, np.inf))
    found: Floats = np.einsum("nq,nd->qd", *scaled)  # the same bits each time
    return np.clip(found, -1, 1)


def _measured(values: Floats) -> NDArray[np.intp]:
    """Return the distinct rows that are measured, evenly taken where there are very many."""
    first = np.sort(np.unique(values, axis=0, return_index=True)[1])
    if len(first) <= MOST_MEASURED:
        return first
    return first[np.linspace(0, len(first) - 1, MOST_MEASURED).astype(np.intp)]


def _figures(
    reduction: "Reduction", chosen: NDArray[np.intp], kept: NDArray[np.intp] | None = None
) -> MapFigures:
    """Measure a map against the features as the method saw them; `kept` are the rows that a stream left."""
    rows = reduction.scaled(chosen)
    places = reduction.embedding_[chosen if kept is None else kept[chosen]]
    k = usual_neighbours(len(rows))
    explained = () if reduction.explained_ is None else tuple(map(float, reduction.explained_))
    return MapFigures(
        trustworthiness(rows, places, neighbours=k), continuity(rows, places, neighbours=k), k, explained
    )


def _of_measured(n: int, n_rows: int) -> tuple[str, ...]:
    return (f"Neighbours were compared among {n} of {n_rows} rows.",) if n == MOST_MEASURED else ()
