"""Read what `detect` left of each scan of a folder."""

from pathlib import Path

from medunsup.anomaly.result import ModelFacts
from medunsup.cohort.results import read_results
from medunsup.report.detect.group_scan import AnomalyScan, GroupModel
from medunsup.workflows.detect import outputs
from medunsup.workflows.detect.sidecar import DetectSidecar


def read_scans(folder: Path) -> list[AnomalyScan]:
    """All scans in `folder` and below that `detect` left a whole result of, by name."""
    found = read_results(
        folder, DetectSidecar, record=outputs.MASK, page=outputs.REPORT, thumbnail=outputs.THUMBNAIL
    )
    return [
        AnomalyScan(
            name=one.name,
            file=one.file,
            model=_model(one.sidecar.model),
            p_value=one.sidecar.p_value,
            n_healthy=one.sidecar.healthy_scans,
            alpha=one.sidecar.alpha,
            is_anomalous=one.sidecar.is_anomalous,
            findings=one.sidecar.findings,
            fp_per_scan=one.sidecar.fp_per_scan,
            flags=one.sidecar.flags,
            remarks=one.sidecar.remarks_and_warnings,
            seen=one.sidecar.seen_by_model or "",
            seen_subject=one.sidecar.seen_subject or "",
            page=one.page,
            thumbnail=one.thumbnail,
        )
        for one in found
    ]


def _model(facts: ModelFacts) -> GroupModel:
    words = (
        f"{facts.model} with {facts.score}, {facts.contrast}, learned from {facts.n_train} healthy scans, "
        f"calibrated on {facts.n_calibration} others"
    )
    return GroupModel(facts.weights_sha256, facts.folder, words)
