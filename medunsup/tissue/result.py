"""What tissue segmentation found: maps on the scan's grid, volumes, quality and the record of how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from medunsup.core.labels import Label
from medunsup.core.record import Record
from medunsup.core.volume import Volume
from medunsup.tissue.base import Component

Verdict = Literal["pass", "partial", "check", "fail"]
UNCHECKED = "Not checked:"  # how the reason begins that lists what no check was made of


@dataclass(frozen=True)
class TissueVolume:
    """Volume of one tissue: summed fractions, counted labels (both mm³), and share of the mask's volume."""

    label: Label
    from_fractions_mm3: float
    from_labels_mm3: float
    fraction_of_intracranial: float


@dataclass(frozen=True)
class Quality:
    """The verdict on one result: `reasons` are sentences a radiologist reads, worst first.

    "partial" is a pass of a scan that not everything is known of or could be checked on.
    """

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    measures: dict[str, float] = field(default_factory=dict)

    @classmethod
    def from_sidecar(cls, facts: Mapping[str, Any]) -> "Quality":
        """Read what a sidecar holds; earlier ones tell a partial verdict as a pass and a sentence.

        Raises KeyError, TypeError or ValueError where it holds something else.
        """
        verdict, reasons = facts["Verdict"], tuple(facts["Reasons"])
        if verdict not in get_args(Verdict):
            raise ValueError(f"unknown verdict {verdict!r}")
        if verdict == "pass" and any(reason.startswith(UNCHECKED) for reason in reasons):
            verdict = "partial"
        return cls(verdict, reasons, {name: float(of) for name, of in facts.get("Measures", {}).items()})


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


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        """Say what was found, not every voxel of it."""
        volumes = ", ".join(f"{name} {ml:.1f}" for name, ml in self.volumes_ml.items())
        return (
            f"<{type(self).__name__}: {volumes}, mask {self.intracranial_ml:.1f} ml; "
            f"verdict {self.quality.verdict}>"
        )

    @property
    def volumes_ml(self) -> dict[str, float]:
        """Tissue volumes in ml, from partial volume fractions."""
        return {item.label.abbreviation: item.from_fractions_mm3 / 1000 for item in self.tissues}

    @property
    def intracranial_ml(self) -> float:
        """Volume of the brain mask in ml."""
        return float(self.brain_mask.data.sum()) * self.brain_mask.voxel_volume_mm3 / 1000
