"""Save one result: maps, tables, sidecars and the page, all of them or none."""

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import ResultThereError
from medunsup.core.labels import class_table
from medunsup.core.volume import Volume
from medunsup.io.bids.derivatives import check_root, write_root
from medunsup.io.bids.names import Kind, OutputNames, output_names, sidecar_path
from medunsup.io.files.atomic import write_json, write_text
from medunsup.io.files.lock import locked
from medunsup.io.files.transaction import Staging, recover, unwritable
from medunsup.report.base.guard import is_drawn
from medunsup.workflows.segment import sidecar, tables

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
            for kind, path in paths.items():
                write_json(staging.place(sidecar_path(path)), sidecar.sidecar_of(kind, result, names))
            paths |= _write_tables(result, names, staging, force) | reported
            write_root(names, _scan(result))
            paths["sidecar"] = sidecar_path(names.path("dseg"))
            staging.publish(last=paths["sidecar"], outdated=_earlier(names))
    except OSError as error:
        raise unwritable(names.folder, error) from error
    return paths


def refuse_overwrite(names: OutputNames, labels: Iterable[str] = ()) -> None:
    """Raise OutputError if any file of such a result exists; `labels` are those of its fractions."""
    kinds: tuple[Kind, ...] = ("dseg", "mask", "corrected", "uncertainty", "volumes", "report")
    files = [names.path(kind) for kind in kinds]
    files += [names.path("probseg", label) for label in labels]
    there = next((path for path in files if path.exists()), None)
    if there:
        raise ResultThereError(
            f"{there}: exists already. Pass --force to replace it, or choose another folder with -o."
        )


def _earlier(names: OutputNames) -> list[Path]:
    """List what only some results have, as far as the one that is there has it: page, classes, tables."""
    try:
        labels = list(json.loads(sidecar_path(names.path("dseg")).read_text(encoding="utf-8"))["Volumes"])
    except (OSError, ValueError, KeyError, TypeError):
        return []
    maps = [names.path("probseg", label) for label in labels]
    table = class_table(len(labels))
    own = [] if tables.are_shared(names, table) else list(tables.label_tables(names, table))
    return [names.path("report"), *maps, *map(sidecar_path, maps), *own]


def _write_maps(result: "SegmentResult", names: OutputNames, staging: Staging) -> dict[str, Path]:
    """Write the volumes, two at a time; gzip leaves Python's lock alone."""
    from medunsup.io.nifti.write import write_volume

    todo: dict[str, tuple[Volume, Path]] = {
        "corrected": (result.corrected, names.path("corrected")),
        "uncertainty": (result.uncertainty, names.path("uncertainty")),
        "dseg": (result.labels, names.path("dseg")),
        "mask": (result.brain_mask, names.path("mask")),
    }
    for label, fraction in result.fractions.items():
        todo[f"probseg_{label}"] = (fraction, names.path("probseg", label))

    def write_one(kind: str) -> None:
        volume, path = todo[kind]
        write_volume(_rounded(volume), staging.place(path), descrip=f"medunsup {kind}")

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write_one, todo))
    return {kind: path for kind, (_, path) in todo.items()}


def _write_tables(
    result: "SegmentResult", names: OutputNames, staging: Staging, force: bool
) -> dict[str, Path]:
    volumes = names.path("volumes")
    write_text(staging.place(volumes), tables.volumes_tsv(result))
    labels = [item.label for item in result.tissues]
    texts = tables.label_tables(names, labels)
    for path, text in texts.items():
        if tables.are_shared(names, labels):
            _write_shared(path, text, force)
        else:
            write_text(staging.place(path), text)
    return {"volumes": volumes, "label_table": next(iter(texts))}


def _write_shared(path: Path, text: str, force: bool) -> None:
    """Write a table of the root, which is the same for every scan."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    if path.exists() and not force:
        raise ResultThereError(
            f"{path}: is there already and says something else. "
            "Pass --force to replace it, or choose another folder with -o."
        )
    write_text(path, text)


def _write_report(result: "SegmentResult", names: OutputNames, staging: Staging) -> dict[str, Path]:
    from medunsup.report.segment.page import write_page

    path = names.path("report")
    draw = partial(write_page, result, staging.place(path), command=result.command)
    return {"report": path} if is_drawn(draw, result.record) else {}


def _scan(result: "SegmentResult") -> Path:
    return Path(result.image.source.path if result.image.source else "scan")


def _rounded(volume: Volume) -> Volume:
    """Drop the bits nobody needs: probabilities to 1/1024, the corrected scan to 1/4096 of its range.

    Returns a volume that lies in the source's own space already, so that writing copies it no further.
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
