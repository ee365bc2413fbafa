"""Save what `detect` found in one scan: maps, table, sidecars and page, all of them or none."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from medunsup.cohort.sidecar import map_facts
from medunsup.core.volume import Volume
from medunsup.io.bids import derivatives
from medunsup.io.bids.derivatives import check_root, write_root
from medunsup.io.bids.names import OutputNames, sidecar_path
from medunsup.io.bids.outputs import Output
from medunsup.io.files.atomic import write_bytes, write_json, write_text
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import Staging, recover, unwritable
from medunsup.io.files.tsv import tsv
from medunsup.report.base.drawing import is_drawn
from medunsup.workflows.detect import outputs
from medunsup.workflows.detect.request import DetectRequest
from medunsup.workflows.detect.sidecar import DetectSidecar

if TYPE_CHECKING:
    from medunsup.anomaly.result import AnomalyResult

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
    "peak_nlog10p",
    "mean",
    "peak_x_mm",
    "peak_y_mm",
    "peak_z_mm",
)


def refuse_overwrite(names: OutputNames) -> None:
    """Raise OutputError if any file of such a result exists."""
    derivatives.refuse_overwrite(names, outputs.OUTPUTS, outputs.labels())


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
        record = DetectSidecar.of_result(result, request.command(), identity)
        for output, label, volume in _maps(result):
            path = names.path(output, label)
            write_volume(volume, staging.place(path), descrip=f"medunsup {output.key}")
            facts = map_facts(output, names, request.scan.path, identity, outputs.MASK)
            facts |= record.as_json() if output == outputs.MASK else {}
            write_json(staging.place(sidecar_path(path)), facts)
            paths[path.stem if label else output.key] = path
        paths["findings"] = names.path(outputs.FINDINGS)
        write_text(staging.place(paths["findings"]), findings_tsv(result))
        write_root(names, request.scan.path, outputs.DERIVATIVE)
        paths["sidecar"] = sidecar_path(names.path(outputs.MASK))
        staging.publish(last=paths["sidecar"], outdated=_earlier(names))
    return paths


def _earlier(names: OutputNames) -> list[Path]:
    """List all that an earlier result of this scan may have left, if its sidecar tells that there is one.

    Without it a map of a baseline's or a former name is not ours; what else is there was refused or may be
    replaced.
    """
    is_result = sidecar_path(names.path(outputs.MASK)).exists()
    if not is_result:
        return names.files(outputs.OUTPUTS, {})
    return names.files((*outputs.OUTPUTS, *outputs.FORMER), outputs.labels())


def _maps(result: "AnomalyResult") -> list[tuple[Output, str, Volume]]:
    """All maps that there are, those of baselines with the baseline's name."""
    found: list[tuple[Output, str, Volume | None]] = [
        (outputs.ANOMALY, "", result.score),
        (outputs.CALIBRATED, "", result.calibrated),
        (outputs.MASK, "", result.mask),
        (outputs.HEALTHY, "", result.healthy),
    ]
    found += [(outputs.BASELINE, one.name, one.map) for one in result.baselines]
    return [(output, label, volume) for output, label, volume in found if volume is not None]


def findings_tsv(result: "AnomalyResult") -> str:
    """List the findings: volume in mm³, centre and peak in world mm, place, tissue, score."""
    rows: list[Sequence[str]] = [COLUMNS]
    for one in result.findings:
        center, peak = ([f"{value:.1f}" for value in point] for point in (one.center_mm, one.peak_mm))
        words = (one.side, one.place, one.tissue, f"{one.tissue_share:.2f}")
        scores = (f"{one.peak:.5g}", f"{one.peak_calibrated:.2f}", f"{one.mean:.5g}")
        rows.append((str(one.index), f"{one.volume_mm3:.1f}", *center, *words, *scores, *peak))
    return tsv(rows)


def _report(result: "AnomalyResult", request: DetectRequest, staging: Staging) -> dict[str, Path]:
    from medunsup.report.detect import page
    from medunsup.report.detect.thumbnail import thumbnail

    files = request.names.paths((outputs.REPORT, outputs.THUMBNAIL))

    def draw() -> None:
        picture = thumbnail(result)  # before the page, so that a defect leaves neither
        page.write_page(result, staging.place(files["anomaly_report"]), command=request.command())
        write_bytes(staging.place(files["thumbnail"]), picture)

    return files if is_drawn(draw, result.record) else {}
