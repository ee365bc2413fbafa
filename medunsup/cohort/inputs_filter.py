"""What to make of the scans given: results among them are left out, results of one name go apart."""

import logging
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from medunsup.cohort.request import ScanRequest
from medunsup.core.errors import UsageError
from medunsup.core.hints import option
from medunsup.io.bids.provenance_mark import result_kind

CORRECTED = "corrected"

log = logging.getLogger(__name__)


def without_results(paths: Sequence[Path]) -> list[Path]:
    """Leave out maps that medunsup made, as a pattern such as *.nii.gz gathers them beside the scans.

    Bias-corrected scans are scans where nothing else is given.

    Raises UsageError if there is no scan among the files.
    """
    kinds = {path: kind for path in paths if (kind := result_kind(path))}
    scans = [path for path in paths if path not in kinds]
    if not kinds or (not scans and set(kinds.values()) == {CORRECTED}):
        return list(paths)
    if not scans:
        first, kind = next(iter(kinds.items()))
        more = f", as are the {len(kinds) - 1} other files" if len(kinds) > 1 else ""
        raise UsageError(
            f"{first}: is a result of medunsup ({kind}){more}, not a scan. Give the scan it was made from."
        )
    n_left_out = len(paths) - len(scans)
    words = (
        "result of medunsup among the files was"
        if n_left_out == 1
        else "results of medunsup among the files were"
    )
    log.warning("%d %s left out.", n_left_out, words)
    return scans


def apart(requests: Sequence[ScanRequest]) -> list[ScanRequest]:
    """Send results that would be written under one name to subfolders, named after the scans' own folders.

    They are named from where those of one name part: p1/anat and p2/anat. Names after BIDS, and scans without
    such a pair, stay where they are.

    Raises UsageError if two scans would be written under one name all the same.
    """
    folders = defaultdict(list)
    for request in requests:
        folders[_place(request)].append(request.path.parent.resolve())
    placed = [_with_subfolder(request, folders[_place(request)]) for request in requests]
    _check_distinct(placed)
    moved = [request for request in placed if request.subfolder]
    if moved:
        log.warning(
            "Some scans share their name: the results of %d go into folders named after theirs, such as %s.",
            len(moved),
            moved[0].names.folder,
        )
    return placed


def _place(request: ScanRequest) -> Path:
    names = request.names
    return names.folder.absolute() / names.stem


def _with_subfolder(request: ScanRequest, folders: Sequence[Path]) -> ScanRequest:
    """Name the results' folder after the scan's own, seen from what all `folders` of one name share."""
    if request.out is None or request.names.is_bids or len(folders) == 1:
        return request
    own, shared = request.path.parent.resolve(), os.path.commonpath(folders)
    return replace(request, subfolder=own.relative_to(shared).as_posix())


def _check_distinct(requests: Sequence[ScanRequest]) -> None:
    taken: dict[Path, ScanRequest] = {}
    for request in requests:
        target = _place(request)
        if target in taken:
            raise UsageError(
                f"{taken[target].path} and {request.path} would both be written as {target.name} in "
                f"{target.parent}. {_way_out(taken[target], request)}"
            )
        taken[target] = request


def _way_out(one: ScanRequest, other: ScanRequest) -> str:
    if one.names.suffix != other.names.suffix:
        return (
            f"Run each contrast with a folder of its own ({option('out')}), or let `segment` take both "
            f"together ({option('with_contrasts', {'NAME': 'FILE'})})."
        )
    if one.path.parent == other.path.parent:
        return f"Give only one of them, or each a folder of its own ({option('out')})."
    return (
        f"Leave out {option('out')} to write each result beside its scan, or give each a folder of its own."
    )
