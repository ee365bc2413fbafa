"""Save one result: maps, tables, sidecars and the page, all of them or none."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.sidecar import SidecarError, map_facts
from medunsup.core.errors import ResultThereError
from medunsup.core.hints import option
from medunsup.core.labels import class_table
from medunsup.core.volume import Volume
from medunsup.io.bids import derivatives
from medunsup.io.bids.derivatives import check_root, write_root
from medunsup.io.bids.names import OutputNames, output_names, sidecar_path
from medunsup.io.bids.outputs import Output
from medunsup.io.files.atomic import write_bytes, write_json, write_text
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import Staging, recover, unwritable
from medunsup.report.base.drawing import is_drawn
from medunsup.workflows.segment import outputs, tables
from medunsup.workflows.segment.sidecar import SegmentSidecar

if TYPE_CHECKING:
    from medunsup.workflows.segment.result import SegmentResult

PROBABILITY_STEPS = 1024  # so that gzip is quick; no map is off by more than 1/2048
CORRECTED_STEPS = 4096
WRITERS = 2


def save(result: "SegmentResult", out: Path | None, *, force: bool = False) -> dict[str, Path]:
    """Write everything `segment` found and return the paths by kind.

    `out` is a folder; None puts the results where `output_names` says. The folder is locked meanwhile.

    Raises OutputError if a result is there already and `force` is not set, if another run writes there,
    or on a full or unwritable folder; then nothing that was there is lost.
    """
    names = output_names(_scan(result), out)
    with locked(names.lock):
        recover(names.folder, names.stem)
        return write(result, names, force=force)


def write(
    result: "SegmentResult", names: OutputNames, *, force: bool = False, report: bool = True
) -> dict[str, Path]:
    """Do what `save` does in a folder that is locked already.

    All is written under temporary names and moved into place at the end, the sidecar of the labels last:
    where that file is, the result is whole.
    """
    if not force:
        refuse_overwrite(names, result.fractions)
    if names.is_bids and names.root is not None:
        check_root(names.root)
    try:
        with Staging(names.folder, names.stem) as staging:
            paths = _write_maps(result, names, staging)
            reported = _write_report(result, names, staging) if report else {}
            _write_sidecars(result, names, staging)
            paths |= _write_tables(result, names, staging, force) | reported
            write_root(names, _scan(result), outputs.DERIVATIVE)
            paths["sidecar"] = sidecar_path(names.path(outputs.DSEG))
            staging.publish(last=paths["sidecar"], outdated=_earlier(names))
    except OSError as error:
        raise unwritable(names.folder, error) from error
    return paths


def refuse_overwrite(names: OutputNames, labels: Iterable[str] = ()) -> None:
    """Raise OutputError if any file of such a result exists; `labels` are those of its fractions."""
    each = {outputs.PROBSEG.key: list(labels), outputs.COLOURS.key: list(tables.COLOUR_TABLES)}
    derivatives.refuse_overwrite(names, outputs.OUTPUTS, each)


def _earlier(names: OutputNames) -> list[Path]:
    """List all that the result which is there may have: page, classes, tables.

    A record that cannot be read does not tell the classes; then their maps, which others may have made, stay.
    """
    try:
        labels = list(SegmentSidecar.read(sidecar_path(names.path(outputs.DSEG))).volumes)
    except SidecarError:
        return names.files(outputs.OUTPUTS)
    files = names.files(outputs.RESULT, {outputs.PROBSEG.key: labels})
    table = class_table(len(labels))
    own = [] if tables.are_shared(names, table) else list(tables.label_tables(names, table))
    return [*files, *own]


def _maps(result: "SegmentResult") -> list[tuple[Output, str, Volume]]:
    """All maps, each with the label that tells it from others of its kind."""
    return [
        (outputs.CORRECTED, "", result.corrected),
        (outputs.UNCERTAINTY, "", result.uncertainty),
        (outputs.DSEG, "", result.labels),
        (outputs.MASK, "", result.brain_mask),
        *((outputs.PROBSEG, label, fraction) for label, fraction in result.fractions.items()),
    ]


def _write_maps(result: "SegmentResult", names: OutputNames, staging: Staging) -> dict[str, Path]:
    """Write the volumes, two at a time; gzip leaves Python's lock alone."""
    from medunsup.io.nifti.write import write_volume

    def write_one(one: tuple[Output, str, Volume]) -> tuple[str, Path]:
        output, label, volume = one
        kind, path = output.kind(label), names.path(output, label)
        write_volume(_rounded(volume), staging.place(path), descrip=f"medunsup {kind}")
        return kind, path

    with ThreadPoolExecutor(WRITERS) as pool:
        return dict(pool.map(write_one, _maps(result)))


def _write_sidecars(result: "SegmentResult", names: OutputNames, staging: Staging) -> None:
    """Write a sidecar for each map; that of the labels holds the record of the whole result."""
    for output, label, _ in _maps(result):
        more: dict[str, Any] = {"Tissue": label} if label else {}
        if output == outputs.CORRECTED:
            more["SkullStripped"] = result.is_stripped
        facts = map_facts(output, names, _scan(result), result.identity, outputs.DSEG, **more)
        if output == outputs.DSEG:
            facts |= SegmentSidecar.of_result(result).as_json()
        write_json(staging.place(sidecar_path(names.path(output, label))), facts)


def _write_tables(
    result: "SegmentResult", names: OutputNames, staging: Staging, force: bool
) -> dict[str, Path]:
    volumes = names.path(outputs.VOLUMES)
    write_text(staging.place(volumes), tables.volumes_tsv(result))
    labels = [item.label for item in result.tissues]
    texts = tables.label_tables(names, labels)
    for path, text in texts.items():
        if tables.are_shared(names, labels):
            _write_shared(path, text, force)
        else:
            write_text(staging.place(path), text)
    return {outputs.VOLUMES.key: volumes, outputs.LABEL_TABLE.key: next(iter(texts))}


def _write_shared(path: Path, text: str, force: bool) -> None:
    """Write a table of the root, which is the same for every scan."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    if path.exists() and not force:
        raise ResultThereError(
            f"{path}: is there already and says something else. "
            f"Pass {option('force', True)} to replace it, or choose another folder with {option('out')}."
        )
    write_text(path, text)


def _write_report(result: "SegmentResult", names: OutputNames, staging: Staging) -> dict[str, Path]:
    from medunsup.report.segment import page
    from medunsup.report.segment.thumbnail import thumbnail

    files = names.paths((outputs.REPORT, outputs.THUMBNAIL))

    def draw() -> None:
        picture = thumbnail(result)  # before the page, so that a defect leaves neither
        page.write_page(result, staging.place(files["report"]), command=result.command)
        write_bytes(staging.place(files["thumbnail"]), picture)

    return files if is_drawn(draw, result.record) else {}


def _scan(result: "SegmentResult") -> Path:
    return Path(result.image.source.path if result.image.source else "scan")


def _rounded(volume: Volume) -> Volume:
    """Drop the bits nobody needs: probabilities to 1/1024, the corrected scan to 1/4096 of its range.

    Returns a volume that lies in native space already, so that writing copies it no further.
    """
    data, affine = volume.in_source_space()
    if volume.kind not in ("label", "mask"):
        step = 1 / PROBABILITY_STEPS
        if volume.kind == "image":
            largest = max(float(data.max()), -float(data.min()), 1e-30)
            step = 2.0 ** np.floor(np.log2(largest / CORRECTED_STEPS))
        own = np.empty_like(data) if np.may_share_memory(data, volume.data) else data
        data = _to_steps(data, np.float32(step), own)
    source = volume.source
    if source is not None:
        source = replace(source, axes=(0, 1, 2), flips=(False, False, False))
    return Volume(data, affine, volume.kind, source)


def _to_steps(data: NDArray[np.float32], step: np.float32, out: NDArray[np.float32]) -> NDArray[np.float32]:
    np.divide(data, step, out=out)
    np.rint(out, out=out)
    out *= step
    return out
