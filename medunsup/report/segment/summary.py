"""The page's numbers: three at the top, all volumes in the table."""

from dataclasses import dataclass

import numpy as np

from medunsup.report.base.headline import Headline
from medunsup.report.base.text import tissue_name
from medunsup.tissue.result import TissueResult

HEADLINE = 3


@dataclass(frozen=True)
class VolumeRow:
    """One tissue in the table of volumes."""

    name: str
    abbreviation: str
    colour: str
    fractions_mm3: float
    labels_mm3: float
    share: float


def headline(result: TissueResult) -> list[Headline]:
    """Three numbers: the three tissues, or what can be said of another number of classes."""
    rows = volume_rows(result)
    if len(rows) == HEADLINE:
        return [
            Headline(
                row.name, _ml(row.fractions_mm3), "ml", f"{100 * row.share:.0f} % of the mask", row.colour
            )
            for row in rows
        ]
    return [
        Headline("Brain mask", _ml(result.brain_mask_ml * 1000), "ml", "all classes together"),
        Headline("Classes", str(len(rows)), "", "from dark to bright"),
        Headline("Uncertainty", f"{100 * mean_uncertainty(result):.0f}", "%", "mean inside the brain"),
    ]


def volume_rows(result: TissueResult) -> list[VolumeRow]:
    """All classes with their volumes from fractions and from labels."""
    return [
        VolumeRow(
            tissue_name(item.label.abbreviation, item.label.name),
            item.label.abbreviation,
            item.label.hex,
            item.from_fractions_mm3,
            item.from_labels_mm3,
            item.fraction_of_brain_mask,
        )
        for item in result.tissues
    ]


def mean_uncertainty(result: TissueResult) -> float:
    """Mean normalised entropy inside the brain mask, in [0, 1]."""
    inside = result.uncertainty.data[result.brain_mask.data.astype(bool)]
    return float(np.mean(inside)) if inside.size else 0.0


def _ml(volume_mm3: float) -> str:
    return f"{volume_mm3 / 1000:,.0f}"
