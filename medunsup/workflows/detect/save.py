"""Save what `detect` found in one scan: maps, table, sidecars and page, all of them or none."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from medunsup.cohort.request import Identity
from medunsup.core.errors import ResultThereError
from medunsup.core.provenance import generated_by, package_versions, plain
from medunsup.core.volume import Volume
from medunsup.io.bids.derivatives import DETECTION, check_root, write_root
from medunsup.io.bids.names import Kind, OutputNames, sidecar_path, source_uri
from medunsup.io.files.atomic import write_json, write_text
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import Staging, recover, unwritable
from medunsup.io.files.tsv import tsv
from medunsup.report.base.guard import is_drawn
from medunsup.workflows.detect.request import DetectRequest

if TYPE_CHECKING:
    from medunsup.anomaly.result import AnomalyResult

KINDS: tuple[Kind, ...] = ("anomaly", "calibrated", "anomaly_mask", "healthy", "findings", "anomaly_report")
DESCRIPTIONS = {
    "anomaly": "Raw anomaly score; higher is less like healthy scans",
    "calibrated": "-log10 of the share of healthy voxels that score as much or more",
    "anomaly_mask": "Where the raw score exceeds the threshold set on healthy scans",
    "healthy": "The scan as the model expects it in a healthy person, in the scan's units",
    "baseline": "Raw anomaly score of a cheap method, to compare with",
}
COLUMNS = (
    "index",
    "volume_mm3",
    "x_mm",
    "y_mm",
    "z_mm",
    "side",
    "place",
    "tissue",
    "tissue_share",
    "peak",
    "peak_surprise",
    "mean",
    "peak_x_mm",
    "peak_y_mm",
    "peak_z_mm",
)


def refuse_overwrite(names: OutputNames) -> None:
    """Raise OutputError if any file of such a result exists."""
    there = next((path for kind in KINDS if (path := names.path(kind)).exists()), None)
    if there:
        raise ResultThereError(
            f"{there}: exists already. Pass --force to replace it, or choose another folder with -o."
        )


def save(result: "AnomalyResult", request: DetectRequest, *, force: bool = False) -> dict[str, Path]:
    """Write everything and return the paths by kind; the folder is locked meanwhile.

    Raises OutputError if a result is there and `force` is not set, if another run writes there, or on a full
    or unwritable folder; then nothing that was there is lost.
    """
    with locked(request.names.lock):
        recover(request.names.folder, request.names.stem)
        return write(result, request, force=force)


def write(result: "AnomalyResult", request: DetectRequest, *, force: bool = False) -> dict[str, Path]:
    """Do what `save` does in a folder that is locked already."""
    names = request.names
    if not force:
        refuse_overwrite(names)
    if names.is_bids and names.root is not None:
        check_root(names.root)
    try:
        return _write(result, request, names)
    except OSError as error:
        raise unwritable(names.folder, error) from error


def _write(result: "AnomalyResult", request: DetectRequest, names: OutputNames) -> dict[str, Path]:
    from medunsup.io.nifti.write import write_volume

    identity = request.identity()  # once: it hashes the inputs
    with Staging(names.folder, names.stem) as staging:
        paths = _report(result, request, staging)  # first, so that the sidecars can tell if it failed
        for kind, volume, path in _maps(result, names):
            write_volume(volume, staging.place(path), descrip=f"medunsup {kind}")
            write_json(staging.place(sidecar_path(path)), _sidecar(kind, result, request, identity))
            paths[kind if kind != "baseline" else path.stem] = path
        paths["findings"] = names.path("findings")
        write_text(staging.place(paths["findings"]), findings_tsv(result))
        write_root(names, request.scan.scan, DETECTION)
        paths["sidecar"] = sidecar_path(names.path("anomaly_mask"))
        staging.publish(last=paths["sidecar"], outdated=_earlier(names))
    return paths


def _earlier(names: OutputNames) -> list[Path]:
    """List all that any result of this scan may have left."""
    from medunsup.anomaly.baselines import BASELINES

    files = [names.path(kind) for kind in KINDS] + [names.path("baseline", name) for name in BASELINES]
    return [*files, *map(sidecar_path, files)]


def _maps(result: "AnomalyResult", names: OutputNames) -> list[tuple[Kind, Volume, Path]]:
    found: list[tuple[Kind, Volume | None, Path]] = [
        ("anomaly", result.score, names.path("anomaly")),
        ("calibrated", result.calibrated, names.path("calibrated")),
        ("anomaly_mask", result.mask, names.path("anomaly_mask")),
        ("healthy", result.healthy, names.path("healthy")),
    ]
    found += [("baseline", one.map, names.path("baseline", one.name)) for one in result.baselines]
    return [(kind, volume, path) for kind, volume, path in found if volume is not None]


def findings_tsv(result: "AnomalyResult") -> str:
    """List the findings: volume in mm³, centre and peak in world mm, place, tissue, score."""
    rows: list[Sequence[str]] = [COLUMNS]
    for one in result.findings:
        center, peak = ([f"{value:.1f}" for value in point] for point in (one.center_mm, one.peak_mm))
        words = (one.side, one.place, one.tissue, f"{one.tissue_share:.2f}")
        scores = (f"{one.peak:.5g}", f"{one.peak_calibrated:.2f}", f"{one.mean:.5g}")
        rows.append((str(one.index), f"{one.volume_mm3:.1f}", *center, *words, *scores, *peak))
    return tsv(rows)


def _sidecar(
    kind: str, result: "AnomalyResult", request: DetectRequest, identity: Identity
) -> dict[str, Any]:
    names = request.names
    others = [item["Name"] for item in identity["Inputs"] if item["Role"] != "scan"]
    facts: dict[str, Any] = {
        "Description": DESCRIPTIONS[kind],
        "Sources": [source_uri(request.scan.scan, names.root), *others],
        "SpatialReference": "orig",
        "GeneratedBy": [generated_by()],
        "Medunsup": identity,
    }
    if kind == "anomaly_mask":
        facts |= {"Type": "Lesion", "Manual": False, **full_record(result, request)}
    else:
        facts |= {"Units": "arbitrary", "Record": sidecar_path(names.path("anomaly_mask")).name}
    if kind == "healthy":
        facts["SkullStripped"] = True
    return plain(facts)


def full_record(result: "AnomalyResult", request: DetectRequest) -> dict[str, Any]:
    """All that is known about how a result came to be, and what it says."""
    return {
        "Command": request.command(),
        "Model": asdict(result.model),
        "Contrast": result.contrast,
        "ScanScore": result.scan.score,
        "PValue": result.scan.p_value,
        "HealthyScans": len(result.scan.healthy),
        "Alpha": result.alpha,
        "IsAnomalous": result.is_anomalous,
        "Threshold": result.threshold,
        "FalseFindingsInAHealthyScan": result.false_parts,
        "Findings": [asdict(one) for one in result.findings],
        "Flags": [asdict(one) for one in result.flags],
        "SeenByModel": result.seen or None,
        "SeenSubject": result.seen_subject or None,
        "Remarks": list(result.remarks),
        "Note": result.note or None,
        "Baselines": {
            one.name: {"Words": one.words, "ScanScore": one.scan.score, "PValue": one.scan.p_value}
            for one in result.baselines
        },
        "Preparation": dict(result.details),
        "Steps": result.record.as_sidecar(),
        "Versions": package_versions(),
    }


def _report(result: "AnomalyResult", request: DetectRequest, staging: Staging) -> dict[str, Path]:
    from medunsup.report.detect.page import write_page

    path = request.names.path("anomaly_report")
    draw = partial(write_page, result, staging.place(path), command=request.command())
    return {"anomaly_report": path} if is_drawn(draw, result.record) else {}
