"""New rows placed on a map that is there."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from medunsup.cohort.feature_table.table import FeatureTable, few
from medunsup.cohort.maps.folder import MapFolder
from medunsup.cohort.maps.result import ReductionResult

if TYPE_CHECKING:
    from medunsup.reduction.base import Reduction

UNLIKE = 0.05


def placed(
    table: FeatureTable, opened: MapFolder, colour: tuple[str, Sequence[str]]
) -> tuple[ReductionResult, "Reduction"]:
    """Place the rows of a table, and say which are unlike all that the map was made of.

    Raises InputError if the table lacks a feature of the map.
    """
    reduction = opened.reduction()
    values = table.only(opened.manifest.features).values
    typicality = reduction.typicality(values)
    unlike = [table.label(n) for n in range(len(table)) if typicality[n] <= UNLIKE]
    remarks = (
        f"{len(unlike)} of {len(table)} rows are farther from all fitted rows than 95 % of these are from "
        f"one another; their places mean little: {few(unlike)}.",
    )
    result = ReductionResult(
        method=opened.manifest.method,
        places=reduction.transform(values),
        keys=table.keys,
        names=opened.manifest.features,
        background=reduction.embedding_,
        typicality=typicality,
        colour=colour,
        remarks=remarks if unlike else (),
        about={
            "features": len(opened.manifest.features),
            "placement": reduction.placement_,
            "model": opened.path.name,
            "fitted_rows": len(reduction.embedding_),
        },
    )
    return result, reduction
