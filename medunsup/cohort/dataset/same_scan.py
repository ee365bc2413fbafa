"""Which images of a data set are no scans of their own: phase, contrast agent, echoes and reconstructions."""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from medunsup.io.bids.names import BIDS_NAME, not_magnitude, stem

REPEATED = re.compile(r"_(?:echo|rec|part)-[A-Za-z0-9+]+")  # one acquisition, reconstructed again
OTHER_CONTRAST = {"ce": "contrast agent (ce-)", "inv": "single inversion (inv-)"}

log = logging.getLogger(__name__)


def magnitude_alone(scans: Sequence[Path]) -> list[Path]:
    """Leave out what names call phase, real or imaginary, unless nothing else is there to be refused."""
    kept = [scan for scan in scans if not not_magnitude(scan.name)]
    if kept and len(kept) < len(scans):
        log.warning(
            "%d phase, real or imaginary images were left out, by their names.", len(scans) - len(kept)
        )
    return kept or list(scans)


def without_repeats(scans: Sequence[Path]) -> tuple[list[Path], Counter[str]]:
    """Leave out, by their names, images that are not magnitude, of another contrast, or repeats.

    Of names in one folder that differ in `echo-`, `rec-` or `part-mag` alone the shortest is taken, then the
    first. Runs and acquisitions are scans of their own. Returns why how many were left out.
    """
    reasons = {scan: _reason(scan) for scan in scans}
    left = [scan for scan in scans if not reasons[scan]]
    chosen: dict[tuple[Path, str], Path] = {}
    for scan in sorted(left, key=lambda scan: (len(stem(scan).split("_")), scan)):
        chosen.setdefault((scan.parent, REPEATED.sub("", stem(scan)) if _is_bids(scan) else scan.name), scan)
    taken = set(chosen.values())
    counts = Counter(reason for reason in reasons.values() if reason)
    counts["repeat of an acquisition (echo-, rec-)"] = len(left) - len(taken)
    for reason, n in (+counts).items():
        log.warning("%d image%s left out: %s.", n, " was" if n == 1 else "s were", reason)
    return [scan for scan in scans if scan in taken], +counts


def _is_bids(scan: Path) -> bool:
    return bool(BIDS_NAME.fullmatch(stem(scan)))


def _reason(scan: Path) -> str:
    """Say why an image is no scan to learn from, as its name tells; empty if it is one."""
    kind = not_magnitude(scan.name)
    if kind:
        return f"{kind} image, by its name"
    if not _is_bids(scan):
        return ""
    entities = {part.split("-")[0] for part in stem(scan).split("_")}
    return next((reason for entity, reason in OTHER_CONTRAST.items() if entity in entities), "")
