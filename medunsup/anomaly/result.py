"""What was found in one scan: maps on the scan's own voxels, findings, and what they are worth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from medunsup.core.record import Record
from medunsup.core.volume import Volume


@dataclass(frozen=True)
class Finding:
    """One connected part of the mask, the largest first.

    `center_mm` and `peak_mm` are world RAS mm of the scan. By the template, `side` is "both" if a fifth lies
    on each, else the centre's ("left", "right", "midline"); `place` is the lobe of the centre, roughly, such
    as "frontal lobe"; `tissue` is the one most of it lies in, `tissue_share` how much of it.
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
    """Something that makes the scan unlike those the model knows. `value`, if any, is beyond `limit`."""

    name: str
    sentence: str
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class ScanScore:
    """One number for the scan, its conformal p-value among `healthy` scores of calibration scans."""

    score: float
    p_value: float
    healthy: tuple[float, ...]


@dataclass(frozen=True)
class BaselineResult:
    """What a cheap method says of the same scan; `map` on the scan's own voxels, if it makes one."""

    name: str
    words: str
    scan: ScanScore
    map: Volume | None


@dataclass(frozen=True)
class ModelFacts:
    """Which model it was: names, how many scans it knows, what `medunsup` wrote it."""

    folder: str
    model: str
    score: str
    steps: tuple[str, ...]
    contrast: str
    n_train: int
    n_calibration: int
    weights_sha256: str


@dataclass(frozen=True)
class AnomalyResult:
    """Everything `detect` found in one scan, all volumes on the scan's own voxels.

    `score` is the raw map, higher is more anomalous; `calibrated` is -log10 of the share of healthy voxels
    that score as much; `mask` is where the raw map exceeds `threshold`, which shows `false_parts` findings
    in a healthy scan on average. `healthy` is the reconstruction in the scan's own units, if the model makes
    one. `alpha` is the false-positive rate the verdict `is_anomalous` keeps; both are None where the
    calibration scans are too few for one. A scan with `flags`, or one that the model has seen, has no verdict
    either: `seen` is the part of the model's own scans that it was in ("train", ...), empty otherwise; where
    the model has seen not this scan but one of a subject of this name, `seen_subject` is that name.
    `note` is what a reader is to know first.
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
    false_parts: float
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

    def __repr__(self) -> str:
        """Say what was found, not every voxel of it."""
        found_ml = sum(one.volume_mm3 for one in self.findings) / 1000
        count = f"{len(self.findings)} finding{'s' if len(self.findings) != 1 else ''}"
        parts = [f"{count}, {found_ml:.1f} ml", f"p_value={self.scan.p_value:.3g}"]
        parts += [f"alpha={self.alpha:g}, is_anomalous={self.is_anomalous}"] if self.alpha is not None else []
        parts += [f"flags: {', '.join(flag.name for flag in self.flags)}"] if self.flags else []
        return f"<AnomalyResult: {'; '.join(parts)}>"
