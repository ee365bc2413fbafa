"""The unit of a NIfTI header's lengths: voxel size and both coordinate systems are given in it."""

from dataclasses import dataclass
from typing import Any

from medunsup.core.geometry import Affine

SPATIAL_BITS = 0b111  # of the field xyzt_units; the rest is the unit of time


@dataclass(frozen=True)
class Unit:
    """A unit as nibabel names it, as a reader does, and its length."""

    name: str
    words: str
    mm: float

    def affine_mm(self, affine: Affine) -> Affine:
        """Turn an affine (4, 4) of this unit into one of mm."""
        scaled = affine.astype(float)
        scaled[:3] *= self.mm
        return scaled


MM = Unit("mm", "mm", 1.0)
UNITS = {1: Unit("meter", "metres", 1000.0), 2: MM, 3: Unit("micron", "micrometres", 0.001)}
UNKNOWN = Unit("unknown", "mm", 1.0)


def unit_of(header: Any) -> Unit:
    """Return the unit that a header tells; one that tells none, or no known one, means mm."""
    return UNITS.get(int(header["xyzt_units"]) & SPATIAL_BITS, UNKNOWN)
