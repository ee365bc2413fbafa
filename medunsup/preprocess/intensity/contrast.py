"""Which contrast a scan has: as told, from its header or name, or from how bright the tissues are."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from medunsup.core.hints import both
from medunsup.core.record import Step
from medunsup.core.volume import Source
from medunsup.io.bids.names import Contrast, contrast_of_name

SURE = 0.8
ENOUGH_VOXELS = 100
# Of the spread of the three medians. GM and WM of a FLAIR lie closer with thick slices, either first: 0.03
# apart in one with slices of 6 mm, 0.27 in the T1w of the same head.
MARGIN = 0.1
ORDER = {("WM", "GM", "CSF"): "T1w", ("CSF", "GM", "WM"): "T2w", ("GM", "WM", "CSF"): "FLAIR"}

ContrastSource = Literal["option", "header", "file name", "intensities", "assumption"]


@dataclass(frozen=True)
class NamedContrast:
    """A scan's contrast, and what tells it."""

    name: str
    source: ContrastSource

    @property
    def is_assumed(self) -> bool:
        """Whether neither the user, the header, the name nor the intensities told it."""
        return self.source == "assumption"


def told_contrast(file_name: str, choice: str, source: Source | None) -> NamedContrast | None:
    """Name the contrast that the user's `choice` tells, else the header, else the file's name."""
    told: dict[ContrastSource, str | None] = {
        "option": None if choice == "auto" else choice,
        "header": source.notes.get("contrast") if source else None,
        "file name": contrast_of_name(file_name),
    }
    return next((NamedContrast(str(name), reason) for reason, name in told.items() if name), None)


def name_contrast(
    told: NamedContrast | None,
    intensity: NDArray[np.float32],
    priors: NDArray[np.float32] | None,
    step: Step,
) -> NamedContrast:
    """Return the contrast that was told, else the one that the intensities show, else T1w with a warning.

    `intensity` (I, J, K) is the scan's; `priors` (3, I, J, K) are GM, WM, CSF. How it was decided, and
    whether the intensities contradict the name, goes into `step`.
    """
    medians = tissue_medians(intensity, priors) if priors is not None else {}
    seen = contrast_of_medians(medians)
    found = told or (NamedContrast(seen, "intensities") if seen else NamedContrast("T1w", "assumption"))
    step.findings |= {"contrast": found.name, "from": found.source}
    if seen and (found.name == "T1w") != (seen == "T1w") and _is_clear(found.name, medians):
        step.warn(
            f"The scan is taken as {found.name} ({found.source}), but its tissues are as bright as in {seen}."
            f" If it is {seen}, say {both('contrast', seen)}; if not, look at the labels before "
            "using the volumes."
        )
    if found.is_assumed:
        step.warn(f"The contrast could not be told; T1w is assumed. Say {both('contrast')} if it is another.")
    return found


def tissue_medians(intensity: NDArray[np.float32], priors: NDArray[np.float32]) -> dict[str, float]:
    """Return the medians of GM, WM and CSF where the prior is 0.8 sure or more; none for too few voxels."""
    is_sure = priors >= SURE
    if any(int(sure.sum()) < ENOUGH_VOXELS for sure in is_sure):
        return {}
    return {
        name: float(np.median(intensity[sure]))
        for name, sure in zip(("GM", "WM", "CSF"), is_sure, strict=True)
    }


def contrast_of_medians(medians: Mapping[str, float]) -> Contrast | None:
    """Tell T1w, T2w or FLAIR by the order of the tissues' medians, or None if it is another order.

    A lone PD scan cannot be told from T2w.
    """
    bright_to_dark = sorted(medians, key=lambda name: -medians[name])
    return ORDER.get(tuple(bright_to_dark))  # type: ignore[arg-type,return-value]


def _is_clear(name: str, medians: Mapping[str, float]) -> bool:
    """Whether two tissues that lie in another order than the contrast's own lie clearly apart."""
    bright_to_dark = next((order for order, one in ORDER.items() if one == name), ("GM", "WM", "CSF"))
    ahead = max(medians[b] - medians[a] for a, b in combinations(bright_to_dark, 2))
    return ahead > MARGIN * (max(medians.values()) - min(medians.values()))
