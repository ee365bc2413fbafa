"""Tell a result of medunsup from a scan, by its header alone."""

import gzip
import zlib
from pathlib import Path

MARK = "medunsup "  # begins the NIfTI field descrip of every map that is written
NIFTI_2 = (540).to_bytes(4, "little")  # the header's size, with which a file begins
DESCRIP, DESCRIP_2 = slice(148, 228), slice(240, 320)


def result_kind(path: Path) -> str:
    """Name what a map of medunsup shows ("dseg", "corrected", ...); empty for any other file, or none."""
    name = path.name.lower()
    if not name.endswith((".nii", ".nii.gz")):
        return ""
    try:
        with gzip.open(path) if name.endswith(".gz") else path.open("rb") as file:
            start = file.read(DESCRIP_2.stop)
    except (OSError, EOFError, zlib.error):
        return ""  # loading tells what is wrong with it
    field = DESCRIP_2 if start.startswith(NIFTI_2) else DESCRIP
    text = start[field].rstrip(b"\0").decode("ascii", "replace")
    return text.removeprefix(MARK) if text.startswith(MARK) else ""
