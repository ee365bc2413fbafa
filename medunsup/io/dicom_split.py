"""Join slices that each have a SeriesInstanceUID of their own, as some anonymisers leave them."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from medunsup.io.dicom_series import Series

FEWEST = 3  # slices: two alike may as well be two short series
SAME = 1e-3
# What slices of one scan are sure to share; the first row alone tells which might belong together.
NAMED = ("Modality", "SeriesNumber", "SeriesDescription", "ProtocolName", "Rows", "Columns")
SHARED = ("StudyInstanceUID", "FrameOfReferenceUID", "ImageOrientationPatient", "PixelSpacing")


def joined(found: Sequence[Series]) -> list[Series]:
    """Join series of one place each that share number, name and matrix; the others stay as they are.

    What else they do not share is noted in the joined series as doubts.
    """
    short: list[Series] = []
    rest: list[Series] = []
    for series in found:
        (short if _lies_at_one_place(series) else rest).append(series)
    for _, group in groupby(sorted(short, key=_name), key=_name):
        alike = list(group)
        places = {tuple(_position(series.header).round(2)) for series in alike}
        rest += [_joined(alike)] if len(alike) >= FEWEST and len(places) >= FEWEST else alike
    return rest


def _joined(alike: Sequence[Series]) -> Series:
    first = alike[0]
    return Series(
        first.uid,
        [file for series in alike for file in series.files],
        sum((series.passed_over for series in alike), Counter()),
        tuple(series.uid for series in alike[1:]),
        tuple(name for name in SHARED if not all(_agree(first, series, name) for series in alike)),
    )


def _agree(one: Series, other: Series, name: str) -> bool:
    mine, theirs = one.header.get(name), other.header.get(name)
    if mine is None or theirs is None or isinstance(mine, str):
        return bool(mine == theirs)
    return np.shape(mine) == np.shape(theirs) and np.allclose(mine, theirs, rtol=0, atol=SAME)


def _name(series: Series) -> tuple[str, ...]:
    return tuple(str(series.header.get(name)) for name in NAMED)


def _lies_at_one_place(series: Series) -> bool:
    """Whether a series is one slice, or several images of one; multi-frame files are none."""
    headers = [header for _, header in series.files]
    if any(int(header.get("NumberOfFrames") or 1) > 1 for header in headers):
        return False
    places = [_position(header) for header in headers]
    return all(place.shape == (3,) and np.allclose(place, places[0], rtol=0, atol=SAME) for place in places)


def _position(header: Dataset) -> NDArray[np.float64]:
    try:
        return np.array(header.get("ImagePositionPatient"), dtype=float)
    except (TypeError, ValueError):
        return np.empty(0)
