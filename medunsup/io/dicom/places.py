"""Which slices of a series lie at one place, whatever the last digits of their positions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medunsup.io.dicom.slices import Slice

ROUNDING_MM = 0.1  # some scanners round slice positions to 0.1 mm
SAME_PLACE = 0.05  # of the widest gap: slices that lie closer than 2 mm are told apart more finely
SMALLEST_MM = 1e-3


def along_normal(slices: Sequence[Slice]) -> NDArray[np.float64]:
    """Distance of each slice from the origin along the normal of the first, in mm."""
    orientation = slices[0].orientation
    return np.array([item.position for item in slices]) @ np.cross(orientation[:3], orientation[3:])


def same_place_mm(distances: NDArray[np.float64]) -> float:
    """How far apart positions may be to count as one place, from the sorted distances of a series' slices."""
    widest = float(np.diff(distances).max(initial=0))
    return min(ROUNDING_MM, max(SAME_PLACE * widest, SMALLEST_MM))


def places_of(slices: Sequence[Slice]) -> list[int]:
    """Return the number of the place of each slice, counted along the normal.

    Positions are compared, not sorted into bins: whatever a bin's width, two sides of its edge would count
    as two places.
    """
    distances = along_normal(slices)
    order = np.argsort(distances, kind="stable")
    tolerance_mm = same_place_mm(distances[order])
    planes = np.cumsum(np.diff(distances[order], prepend=distances[order[0]]) > tolerance_mm)
    positions = np.array([item.position for item in slices])
    places = np.zeros(len(slices), dtype=int)
    n_places = 0
    for plane in np.split(order, np.flatnonzero(np.diff(planes)) + 1):
        while plane.size:
            is_here = np.linalg.norm(positions[plane] - positions[plane[0]], axis=1) <= 2 * tolerance_mm
            places[plane[is_here]] = n_places
            plane, n_places = plane[~is_here], n_places + 1
    return places.tolist()
