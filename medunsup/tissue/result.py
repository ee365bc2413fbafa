"""What tissue segmentation found: maps on the scan's grid, volumes, quality and the record of how."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Any, Literal, get_args

from medunsup.core.labels import Label
from medunsup.core.record import Record
from medunsup.core.renamed import renamed_property
from medunsup.core.shown import Shown
from medunsup.core.volume import Volume
from medunsup.tissue.base import Component

Verdict = Literal["pass", "partial", "check", "fail"]
RENAMED_MEASURES = {  # as sidecars of earlier versions have them
    "intracranial_ml": "brain_mask_ml",
    "placement_metric_nats": "registration_metric_nats",
    "ripple_percent": "ghosting_percent",
    "rim_bright_percent": "boundary_bright_percent",
    "rim_fluid_percent": "boundary_fluid_percent",
    "sides_differ_percent": "asymmetry_percent",
}
UNCHECKED = "Not checked:"  # how the reason begins that lists what no check was made of


@dataclass(frozen=True)
class TissueVolume:
    """Volume of one tissue.

    Attributes
    ----------
    label : Label
        The tissue.
    from_fractions_mm3 : float
        Sum of its partial volume fractions, in mm³.
    from_labels_mm3 : float
        Volume of the voxels that it wins, in mm³.
    fraction_of_brain_mask : float
        `from_fractions_mm3` over the volume of the brain mask.

    Examples
    --------
    >>> import medunsup
    >>> for one in medunsup.segment("scan.nii.gz").tissues:
    ...     print(one.label.abbreviation, one.from_fractions_mm3 > 0)
    GM True
    WM True
    CSF True
    """

    label: Label
    from_fractions_mm3: float
    from_labels_mm3: float
    fraction_of_brain_mask: float

    fraction_of_intracranial = renamed_property("fraction_of_intracranial", "fraction_of_brain_mask")


@dataclass(frozen=True)
class Quality:
    """The verdict on one result.

    Attributes
    ----------
    verdict : {'pass', 'partial', 'check', 'fail'}
        'partial' is a pass of a scan that not everything is known of or could be checked on.
    reasons : tuple of str
        Sentences a radiologist reads, worst first.
    measures : dict of str to float
        What was measured.

    Examples
    --------
    >>> from medunsup.tissue import Quality
    >>> Quality.from_sidecar({"Verdict": "check", "Reasons": ["Ghosting."]}).verdict
    'check'
    """

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    measures: dict[str, float] = field(default_factory=dict)

    @classmethod
    def from_sidecar(cls, facts: Mapping[str, Any]) -> "Quality":
        """Read what a sidecar holds.

        Sidecars of earlier versions tell a partial verdict as a pass and a sentence, and call a measure
        otherwise.

        Parameters
        ----------
        facts : dict
            The entry "Quality" of the sidecar.

        Returns
        -------
        Quality
            The verdict.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it holds something else.
        """
        verdict, reasons = facts["Verdict"], tuple(facts["Reasons"])
        if verdict not in get_args(Verdict):
            raise ValueError(f"unknown verdict {verdict!r}")
        if verdict == "pass" and any(reason.startswith(UNCHECKED) for reason in reasons):
            verdict = "partial"
        measures = {
            RENAMED_MEASURES.get(name, name): nan if of is None else float(of)
            for name, of in facts.get("Measures", {}).items()
        }
        return cls(verdict, reasons, measures)


@dataclass(frozen=True)
class Fit:
    """The fitted mixture, for the report.

    Attributes
    ----------
    method : str
        Name of the tissue method.
    components : tuple of Component
        The fitted Gaussians.
    log_likelihood : tuple of float
        Mean log-likelihood a voxel, one value an iteration.
    converged : bool
        Whether the tolerance was met.
    histogram_counts : tuple of int
        Voxels in each bin of scaled intensity.
    histogram_edges : tuple of float
        Edges of the bins.
    model_selection : dict or None
        How the number of classes was chosen, if it was 'auto'.

    Examples
    --------
    >>> import medunsup
    >>> fit = medunsup.segment("scan.nii.gz", method="gmm").fit
    >>> fit.method, len(fit.components)
    ('gmm', 3)
    """

    method: str
    components: tuple[Component, ...]
    log_likelihood: tuple[float, ...]
    converged: bool
    histogram_counts: tuple[int, ...]
    histogram_edges: tuple[float, ...]
    model_selection: dict[str, Any] | None = None


@dataclass(frozen=True, repr=False)
class TissueResult(Shown):
    """Everything that a segmentation holds; `medunsup.SegmentResult` can save it as well.

    All volumes share the RAS+ grid of `image`.

    Attributes
    ----------
    image : Volume
        The scan as it was loaded.
    corrected : Volume
        The scan with its bias field divided out.
    brain_mask : Volume
        Voxels that were segmented, bool.
    labels : Volume
        BIDS index of each voxel's tissue (GM 1, WM 2, CSF 3), 0 outside the mask.
    fractions : dict of str to Volume
        Partial volume fraction in [0, 1] of each tissue, by its abbreviation.
    uncertainty : Volume
        Normalised entropy of the tissues' probabilities, in [0, 1].
    tissues : tuple of TissueVolume
        Volumes of each tissue.
    fit : Fit
        The fitted mixture.
    quality : Quality
        Verdict with its reasons and measures.
    record : Record
        All steps, with what each was given, found and warned of.
    parameters : dict
        All choices, with those of the method.

    Examples
    --------
    >>> import medunsup
    >>> result = medunsup.segment("scan.nii.gz")
    >>> total = sum(result.volumes_ml.values())
    >>> abs(total - result.brain_mask_ml) < 0.01 * total
    True
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
            f"<{type(self).__name__}: {volumes}, mask {self.brain_mask_ml:.1f} ml; "
            f"verdict {self.quality.verdict}>"
        )

    @property
    def volumes_ml(self) -> dict[str, float]:
        """Volume of each tissue in ml, from partial volume fractions, by its abbreviation."""
        return {item.label.abbreviation: item.from_fractions_mm3 / 1000 for item in self.tissues}

    @property
    def brain_mask_ml(self) -> float:
        """Volume of the brain mask in ml; not the ICV (intracranial volume) of other tools."""
        return float(self.brain_mask.data.sum()) * self.brain_mask.voxel_volume_mm3 / 1000

    intracranial_ml = renamed_property("intracranial_ml", "brain_mask_ml")
