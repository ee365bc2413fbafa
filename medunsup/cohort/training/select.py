"""Which images of a source are scans to learn from: no label maps, none twice."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from medunsup.cohort.dataset.folders import no_scan
from medunsup.cohort.dataset.sources import Case, open_source, refuse_unfetched
from medunsup.cohort.dataset.splits import refuse_duplicates
from medunsup.cohort.settings import ContrastChoice
from medunsup.core.errors import InputError
from medunsup.core.pace import Pace
from medunsup.core.progress import Stage, Told
from medunsup.io.files.hashes import hash_input

LABEL_MAP = "label map or mask"
LOOKING = "looking for label maps among the images"

log = logging.getLogger(__name__)


def hash_scans(cases: Sequence[Case]) -> list[str]:
    """Hash each scan's file. Raises InputError if one cannot be read, or if two are the same."""
    hashes = [hash_input(case.scan) for case in cases]
    refuse_duplicates(cases, hashes)
    return hashes


def find_scans(
    data: Path, *, contrast: ContrastChoice, mask: str | None, told: Told
) -> tuple[list[Case], Counter[str]]:
    """List the scans of a source, and why how many images were left out of it; a table's are all taken.

    Raises UsageError or InputError for a source that cannot be understood, or holds no scan.
    """
    source = open_source(data, contrast=None if contrast == "auto" else contrast, mask=mask)
    refuse_unfetched(source.cases)
    scans = source.cases if source.kind == "table" else without_label_maps(source.cases, told)
    left_out = Counter(source.left_out)
    left_out[LABEL_MAP] = len(source.cases) - len(scans)
    if not scans:
        raise InputError(f"{data}: holds no scan. {left_out_words(left_out)}")
    return scans, left_out


def left_out_words(left_out: Mapping[str, int]) -> str:
    """Say how many images were left out, and why: "Images left out: group fcd (85), label map (3)."."""
    counts = ", ".join(f"{reason} ({n})" for reason, n in sorted(left_out.items()) if n)
    return f"Images left out: {counts}." if counts else ""


def without_label_maps(cases: Sequence[Case], told: Told) -> list[Case]:
    """Leave out images that are no scans by their values; what cannot be read stays, and is told later."""
    kept, pace, seconds_left = [], Pace(len(cases)), None
    for n, case in enumerate(cases, start=1):
        told(Stage(LOOKING, (n - 1) / len(cases), seconds_left, f"{n} of {len(cases)}"))
        if kind := no_scan(case.scan):
            log.info("%s: is %s, left out.", case.scan, kind)
        else:
            kept.append(case)
        seconds_left = pace.done()
    if len(kept) < len(cases):
        log.warning(
            "%d of %d images are label maps or masks, and left out.", len(cases) - len(kept), len(cases)
        )
    return kept
