"""Thick slices: what they did to volumes where the truth was known, so that a reader knows what to expect."""

from medunsup.core.volume import Volume
from medunsup.tissue.base import TissueInput

THICK_MM = 3.0
SLICES = 1.5  # times as thick as wide, at least; voxels of 3 mm on all sides are let pass
# Distance of slices in mm up to which a row holds, that measured at, and by how many percent GM, WM and CSF
# were off the truth in two T1w heads rich in fluid, the brain found as usual (docs/evidence/robustness.md).
MEASURED = (
    (4.0, 3, ((8, 11), (1, 4), (-27, -20))),
    (6.5, 5, ((12, 30), (2, 30), (-69, -24))),
    (float("inf"), 8, ((25, 36), (-1, 23), (-73, -40))),
)


def of_slices(data: TissueInput, scan: Volume | None) -> str | None:
    """Say how far volumes may be off in slices this thick; None where they are thin."""
    gap_mm = round(max(data.spacing_mm), 2)
    if gap_mm < THICK_MM or (gap_mm == THICK_MM and gap_mm < SLICES * min(data.spacing_mm)):
        return None
    notes = scan.source.notes if scan is not None and scan.source else {}
    kind = "of this 2D series " if notes.get("acquisition") == "2D" else ""
    at_mm, ranges = next(row[1:] for row in MEASURED if gap_mm <= row[0])
    gm, wm, csf = (f"{low:+d} to {high:+d} %" for low, high in ranges)
    return (
        f"Slices {kind}lie {gap_mm:g} mm apart: sulcal fluid and thin cortex share voxels, and volumes draw "
        f"near the template's. Two T1w heads rich in fluid, averaged to {at_mm} mm, were {gm} off the "
        f"truth in GM, {wm} in WM and {csf} in CSF: atrophy may be hidden. Compare only scans of slices "
        "alike."
    )
