"""Which images of a source are scans to learn from: no label maps, none twice."""

import logging
from collections.abc import Mapping, Sequence

from medunsup.cohort.dataset.folders import no_scan
from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.dataset.splits import refuse_duplicates
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
