"""Everything an evaluation found, as tables and pages take it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from medunsup.core.renamed import renamed_property
from medunsup.core.shown import Shown
from medunsup.metrics.case_figures import CaseFigures
from medunsup.metrics.comparison import Figures


@dataclass(frozen=True)
class EvaluatedCase(CaseFigures):
    """Figures of one case, under the model and each baseline, and what was remarked on it.

    Attributes
    ----------
    scan : str
        Name of the scan.
    subject : str
        Whose it is.
    site : str
        Scanner or hospital; empty if it is not known.
    is_ill : bool
        Whether it is a patient's.
    scan_scores : dict of str to float
        Scan-level score of each method.
    figures : dict of str to dict
        Figures of voxels of each method, by name; for scans with lesions only.
    froc : dict of str to FrocCurve
        Free-response curve of each method's map.
    at_threshold : dict of str to float
        What the model's mask gives: dice, precision, recall, lesions, lesions_found, false_positives.
    steps : dict of str to float
        The model's average precision before post-processing ('none') and after each step.
    p_value : float
        The model's conformal p-value.
    lesions_outside_brain : float
        Share of lesion voxels outside the brain mask, which count as missed; NaN without lesions.
    facts : dict
        What may confound: spacing, contrast, ...
    flags : tuple of str
        Names of OOD checks that the scan fails.
    warnings : tuple of str
        Sentences, those of the flags among them.
    """

    warnings: tuple[str, ...] = ()

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Take over what `as_record` gave. Raises KeyError or TypeError if it was cut."""
        return super().of_record({**record, "warnings": tuple(record["warnings"])})


@dataclass(frozen=True)
class SyntheticFigures:
    """What became of synthetic lesions in healthy scans.

    Attributes
    ----------
    volumes_mm3 : tuple of float
        Volumes of the lesions in mm³.
    contrasts_sd : tuple of float
        Their contrasts, in healthy standard deviations.
    sensitivity : tuple of tuple of float
        Share that was found at the model's threshold, by volume and contrast.
    levels : tuple of float
        Intensities of lesions of one grey, where a healthy brain lies about in [0, 1].
    level_volume_mm3 : float
        Their volume in mm³.
    average_precision : tuple of float
        Of the model, for each of these.
    prevalence : float
        What chance reaches there.
    false_positives : float
        False positives that these scans showed, on average (FP/scan).
    n_lesions : int
        Lesions in each cell of `sensitivity`.
    shapes : str
        What the lesions look like.
    """

    volumes_mm3: tuple[float, ...]
    contrasts_sd: tuple[float, ...]
    sensitivity: tuple[tuple[float, ...], ...]
    levels: tuple[float, ...]
    level_volume_mm3: float
    average_precision: tuple[float, ...]
    prevalence: float
    false_positives: float
    n_lesions: int
    shapes: str = "ellipsoids"


@dataclass(frozen=True, repr=False)
class Evaluation(Shown):
    """A model, and its baselines, on a table of cases.

    Attributes
    ----------
    figures : Figures
        Means over all subjects with their intervals, for the model and each baseline.
    cases : tuple of EvaluatedCase
        Each case's own figures and warnings, in the table's order.
    about : dict
        Which model: model, score, steps, contrast, numbers of scans.
    threshold : float
        Score above which voxels are marked; set on healthy scans alone.
    fp_per_scan : float
        False positives that a healthy scan shows at this threshold, on average (FP/scan).
    synthetic : SyntheticFigures or None
        What became of synthetic lesions, if these were asked for.

    Examples
    --------
    >>> import medunsup
    >>> found = medunsup.evaluate("runs/atlas", "cases.tsv", "measured")
    >>> sorted(found.as_record())[:3]
    ['FPPerScan', 'HealthyThreshold', 'Model']
    """

    figures: Figures
    cases: tuple[EvaluatedCase, ...]
    about: Mapping[str, Any]
    threshold: float
    fp_per_scan: float
    synthetic: SyntheticFigures | None = None

    false_parts = renamed_property("false_parts", "fp_per_scan")
    planted = renamed_property("planted", "synthetic")

    def as_record(self) -> dict[str, Any]:
        """Return plain values for JSON, without the single cases; NaN may be among them.

        Returns
        -------
        dict
            Figures by name.

        Examples
        --------
        >>> import medunsup
        >>> record = medunsup.evaluate("runs/atlas", "cases.tsv", "recorded").as_record()
        >>> record["NumberOfCases"], record["NumberOfHealthy"]
        (2, 1)
        """
        return {
            "Model": dict(self.about),
            "HealthyThreshold": self.threshold,
            "FPPerScan": self.fp_per_scan,
            "NumberOfCases": len(self.cases),
            "NumberOfHealthy": sum(not case.is_ill for case in self.cases),
            "NumberUnlikeTheModelsScans": sum(bool(case.flags) for case in self.cases),
            **asdict(self.figures),
            "synthetic": None if self.synthetic is None else asdict(self.synthetic),
        }
