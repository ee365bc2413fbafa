"""What was found in one scan: maps in native space, findings, and what they are worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from medunsup.core.record import Record
from medunsup.core.renamed import renamed_property
from medunsup.core.shown import Shown
from medunsup.core.volume import Volume


@dataclass(frozen=True)
class Finding:
    """One connected component of the anomaly mask.

    Attributes
    ----------
    index : int
        1 for the largest.
    volume_mm3 : float
        Volume in mm³.
    center_mm, peak_mm : tuple of float
        Centre, and voxel of the highest score, in world RAS mm of the scan.
    peak, peak_calibrated, mean : float
        Highest score, its -log10 empirical p, and mean score.
    side : {'left', 'right', 'midline', 'both'}
        By the template; 'both' if a fifth lies on each side.
    place : str
        Lobe of the centre, roughly, such as 'frontal lobe'.
    tissue : str
        Tissue of the template that most of it lies in.
    tissue_share : float
        How much of it lies there, in [0, 1].

    Examples
    --------
    >>> import medunsup
    >>> for finding in medunsup.detect("patient.nii.gz", "runs/atlas").findings[:1]:
    ...     print(finding.index, finding.volume_mm3 > 0)
    1 True
    """

    index: int
    volume_mm3: float
    center_mm: tuple[float, float, float]
    peak_mm: tuple[float, float, float]
    peak: float
    peak_calibrated: float
    mean: float
    side: str
    place: str
    tissue: str
    tissue_share: float


@dataclass(frozen=True)
class Flag:
    """One way in which a scan is out of distribution (OOD) for a model.

    Attributes
    ----------
    name : str
        Name of the OOD check.
    sentence : str
        What it found, for a reader.
    value : float or None
        What was measured, beyond `limit`.
    limit : float or None
        What healthy scans of the model keep.

    Examples
    --------
    >>> import medunsup
    >>> flags = medunsup.detect("scan.nii.gz", "runs/atlas").flags
    >>> all(flag.sentence for flag in flags)
    True
    """

    name: str
    sentence: str
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class ScanScore:
    """Scan-level score among those of healthy calibration scans.

    Attributes
    ----------
    score : float
        One number for the scan; higher is more anomalous.
    p_value : float
        Conformal p-value, (1 + healthy scans that score as much or more) / (n + 1).
    healthy : tuple of float
        Scores of the n calibration scans.
    """

    score: float
    p_value: float
    healthy: tuple[float, ...]


@dataclass(frozen=True)
class BaselineResult:
    """What a baseline says of the same scan.

    Attributes
    ----------
    name : str
        Name of the baseline.
    words : str
        What it does.
    scan : ScanScore
        Scan-level score with its conformal p-value.
    map : Volume or None
        Score map in native space, if it makes one.

    Examples
    --------
    >>> import medunsup
    >>> result = medunsup.detect("scan.nii.gz", "runs/atlas", baselines=True)
    >>> len(result.baselines) > 0
    True
    """

    name: str
    words: str
    scan: ScanScore
    map: Volume | None


@dataclass(frozen=True)
class ModelFacts:
    """Which model a result was made with.

    Attributes
    ----------
    folder : str
        Name of its folder, or of the bundled model.
    model, score : str
        Names of model and score.
    steps : tuple of str
        Post-processing of the map.
    contrast : str
        Weighting of its scans.
    n_train, n_calibration : int
        Scans that it was trained and calibrated on.
    weights_sha256 : str
        Hash of all that it learned.
    """

    folder: str
    model: str
    score: str
    steps: tuple[str, ...]
    contrast: str
    n_train: int
    n_calibration: int
    weights_sha256: str


@dataclass(frozen=True, repr=False)
class AnomalyResult(Shown):
    """Everything that `detect` found in one scan.

    All volumes are in native space, on the RAS+ grid of `image`.

    Attributes
    ----------
    image : Volume
        The scan as it was loaded.
    brain : Volume
        Brain mask, bool.
    score : Volume
        Raw score map; higher is more anomalous.
    calibrated : Volume
        -log10 empirical p of each voxel: of the share of healthy voxels that score as much or more.
    mask : Volume
        Where the raw map exceeds `threshold`, without connected components that are too small, bool.
    healthy : Volume or None
        Pseudo-healthy reconstruction in the scan's own units, if the model makes one.
    findings : tuple of Finding
        Connected components of the mask, the largest first, 200 at most.
    scan : ScanScore
        Scan-level score with its conformal p-value.
    threshold : float
        Score above which a voxel is marked.
    fp_per_scan : float
        False positives that a healthy scan shows at this threshold, on average (FP/scan).
    alpha : float or None
        False-positive rate of the verdict; None where the calibration scans are too few for one.
    is_anomalous : bool or None
        The verdict; None without `alpha`, with `flags`, or for a scan or subject of the training set.
    flags : tuple of Flag
        What makes the scan out of distribution (OOD).
    baselines : tuple of BaselineResult
        What the baselines say, if these were asked for.
    model : ModelFacts
        Which model it was.
    contrast : str
        Weighting of the scan, such as 'T1w'.
    record : Record
        All steps, with what each was given, found and warned of.
    remarks : tuple of str
        Sentences that belong beside the result.
    details : dict
        Facts of the preparation.
    seen : str
        Split of the model's own scans that this one was in ('train', ...); empty if it was in none.
    seen_subject : str
        Name of the subject, where the model knows not this scan but another of this name; else empty.
    note : str
        Sentence that stands above everything else on the page; usually empty.

    Examples
    --------
    >>> import medunsup
    >>> result = medunsup.detect("scan.nii.gz", "runs/atlas")
    >>> result.mask.data.dtype, result.model.score
    (dtype('bool'), 'deviation')
    """

    image: Volume
    brain: Volume
    score: Volume
    calibrated: Volume
    mask: Volume
    healthy: Volume | None
    findings: tuple[Finding, ...]
    scan: ScanScore
    threshold: float
    fp_per_scan: float
    alpha: float | None
    is_anomalous: bool | None
    flags: tuple[Flag, ...]
    baselines: tuple[BaselineResult, ...]
    model: ModelFacts
    contrast: str
    record: Record
    remarks: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    seen: str = ""
    seen_subject: str = ""
    note: str = ""

    false_parts = renamed_property("false_parts", "fp_per_scan")

    def __repr__(self) -> str:
        """Say what was found, not every voxel of it."""
        found_ml = sum(one.volume_mm3 for one in self.findings) / 1000
        count = f"{len(self.findings)} finding{'s' if len(self.findings) != 1 else ''}"
        parts = [f"{count}, {found_ml:.1f} ml", f"p_value={self.scan.p_value:.3g}"]
        parts += [f"alpha={self.alpha:g}, is_anomalous={self.is_anomalous}"] if self.alpha is not None else []
        parts += [f"flags: {', '.join(flag.name for flag in self.flags)}"] if self.flags else []
        return f"<AnomalyResult: {'; '.join(parts)}>"
