"""What tissue segmentation found: maps on the scan's grid, volumes, quality and the record of how."""

from dataclasses import dataclass, field
from typing import Any, Literal

from medunsup.core.labels import Label
from medunsup.core.record import Record
from medunsup.core.volume import Volume
from medunsup.tissue.base import Component

Verdict = Literal["pass", "check", "fail"]


@dataclass(frozen=True)
class TissueVolume:
    """Volume of one tissue: summed fractions, counted labels (both mm³), and share of the mask's volume."""

    label: Label
    from_fractions_mm3: float
    from_labels_mm3: float
    fraction_of_intracranial: float


@dataclass(frozen=True)
class Quality:
    """The verdict on one result: `reasons` are sentences a radiologist reads, worst first."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    measures: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Fit:
    """The fitted mixture, for the report: `log_likelihood` is the mean a voxel, one value an iteration."""

    method: str
    components: tuple[Component, ...]
    log_likelihood: tuple[float, ...]
    converged: bool
    histogram_counts: tuple[int, ...]
    histogram_edges: tuple[float, ...]
    model_selection: dict[str, Any] | None = None


@dataclass(frozen=True)
class TissueResult:
    """Everything `segment` found. All volumes share the RAS+ grid of `image`.

    `fractions` holds one partial volume map a tissue, by abbreviation; `labels` has BIDS indices
    (GM 1, WM 2, CSF 3); `uncertainty` is normalised entropy in [0, 1].
    """

    image: Volume
    corrected: Volume
    brain_mask: Volume
    labels: Volume
    fractions: dict[str, Volume]
    uncertainty: Volume
    tissues: tuple[TissueVolume, ...]
    fit: Fit
    quality: Quality
    record: Record
    parameters: dict[str, Any]

    @property
    def volumes_ml(self) -> dict[str, float]:
        """Tissue volumes in ml, from partial volume fractions."""
        return {item.label.abbreviation: item.from_fractions_mm3 / 1000 for item in self.tissues}

    @property
    def intracranial_ml(self) -> float:
        """Volume of the brain mask in ml."""
        return float(self.brain_mask.data.sum()) * self.brain_mask.voxel_volume_mm3 / 1000
