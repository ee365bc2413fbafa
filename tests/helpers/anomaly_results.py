"""Results of `detect` to report on, made from the phantom; no model is trained, nothing is scored."""

from dataclasses import replace

import numpy as np

from helpers.phantom import Anatomy
from medunsup.anomaly.result import AnomalyResult, BaselineResult, Finding, Flag, ModelFacts, ScanScore
from medunsup.core.geometry import Grid
from medunsup.core.record import Record
from medunsup.core.volume import Source, Volume

HEALTHY = tuple(float(score) for score in range(1, 41))
FLAG = Flag("contrast", "The scan is FLAIR, the model knows T1w.")
THRESHOLD = 8.0


def found_on_the_left(anatomy: Anatomy, *, tilt_degrees: float = 0.0) -> AnomalyResult:
    """A result with one finding: a bright block of 3³ voxels in the patient's left half."""
    brain = anatomy.mask.data.astype(bool)
    image = _named(anatomy.image(noise=0.0, bias=0.0), tilt_degrees)
    healthy = image.like(image.data * brain)
    block = left_block(brain)
    data = healthy.data.copy()
    data[block] *= 1.4
    score = np.where(brain, 1.0, 0.0).astype(np.float32)
    score[block] = 10.0
    rarity = np.where(score > THRESHOLD, 4.5, np.where(brain, 0.3, 0)).astype(np.float32)
    image = image.like(data)
    return AnomalyResult(
        image=image,
        brain=image.like(brain, "mask"),
        score=image.like(score, "score"),
        calibrated=image.like(rarity, "score"),
        mask=image.like(score > THRESHOLD, "mask"),
        healthy=healthy,
        findings=(finding_at(image, block),),
        scan=scored(37.5),
        threshold=THRESHOLD,
        fp_per_scan=1.0,
        alpha=0.05,
        is_anomalous=False,
        flags=(),
        baselines=(
            BaselineResult(
                "rank_high", "intensity rank, bright first", scored(30.0), image.like(score, "score")
            ),
            BaselineResult("pca_lof", "local outlier factor", scored(50.0), None),
        ),
        model=ModelFacts("runs", "pca", "zscore", ("median=3",), "T1w", 37, len(HEALTHY), "cd" * 32),
        contrast="T1w",
        record=_record(),
        details={"steps": [{"name": "brain mask", "parameters": {"given": True}, "outcome": "done"}]},
    )


def scored(score: float, healthy: tuple[float, ...] = HEALTHY) -> ScanScore:
    """Rank a score among those of healthy scans."""
    p_value = (1 + sum(other >= score for other in healthy)) / (len(healthy) + 1)
    return ScanScore(score, p_value, healthy)


def left_block(brain: np.ndarray) -> tuple[slice, slice, slice]:
    """Three voxels a side, a third of the way from the middle to the left edge; RAS+: left is low."""
    inside = np.argwhere(brain)
    low, middle = inside.min(axis=0), np.round(inside.mean(axis=0)).astype(int)
    start = middle[0] - (middle[0] - low[0]) // 2
    i, j, k = (slice(int(edge) - 1, int(edge) + 2) for edge in (start, middle[1], middle[2]))
    return i, j, k


def finding_at(image: Volume, block: tuple[slice, slice, slice], index: int = 1) -> Finding:
    """Describe a block of voxels as a finding whose peak is its middle."""
    middle = [part.start + 1 for part in block]
    x, y, z = (float(v) for v in image.affine[:3, :3] @ middle + image.affine[:3, 3])
    volume_mm3 = 27 * image.voxel_volume_mm3
    return Finding(
        index, volume_mm3, (x, y, z), (x, y, z), 10.0, 4.5, 10.0, "left", "frontal lobe", "WM", 0.9
    )


def nothing_found(result: AnomalyResult) -> AnomalyResult:
    """The same scan with nothing above the threshold."""
    nothing = result.mask.like(np.zeros(result.mask.shape, bool))
    return replace(result, mask=nothing, findings=())


def _named(image: Volume, tilt_degrees: float) -> Volume:
    """Give a scan a name, and turn it about the patient's left-right axis."""
    cosine, sine = np.cos(np.radians(tilt_degrees)), np.sin(np.radians(tilt_degrees))
    turn = np.array([[1, 0, 0, 0], [0, cosine, -sine, 0], [0, sine, cosine, 0], [0, 0, 0, 1]])
    image = replace(image, affine=turn @ image.affine)
    grid = Grid(image.shape, image.affine)
    source = Source("/clinic/DOE_JANE/sub-07_T1w.nii.gz", "nifti", grid, sha256="ab" * 32)
    return replace(image, source=source)


def _record() -> Record:
    record = Record()
    with record.step("score", model="pca", score="zscore") as step:
        step.findings["scan_score"] = 37.5
    with record.step("compare with the healthy scans") as step:
        step.warn("Something was noticed on the way.")
    return record
