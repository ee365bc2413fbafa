"""Join slices that each have a SeriesInstanceUID of their own, as some anonymisers leave them."""

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from medunsup.io.dicom.series import Series

FEWEST = 3  # slices: two alike may as well be two short series
SAME = 1e-3
# What slices of one scan are sure to share; the first two rows tell which might belong together.
MATRIX = ("Modality", "Rows", "Columns")
CALLED = ("SeriesNumber", "SeriesDescription", "ProtocolName")
SHARED = ("StudyInstanceUID", "FrameOfReferenceUID", "ImageOrientationPatient", "PixelSpacing")


def joined(found: Sequence[Series]) -> list[Series]:
    """Join series of one place each that share number, name and matrix; the others stay as they are.

    Those that are left over are joined if they share matrix and orientation: nobody means each of them as a
    scan. What else they do not share is noted in the joined series as doubts.
    """
    short: list[Series] = []
    rest: list[Series] = []
    for series in found:
        (short if _lies_at_one_place(series) else rest).append(series)
    named, others = _stacks(short, _name)
    stacks, single = _stacks(others, _plane)
    return [*rest, *named, *stacks, *single]


def _stacks(short: Sequence[Series], key: Callable[[Series], object]) -> tuple[list[Series], list[Series]]:
    """Join what shares a key and has places enough for a stack; return the stacks, and what is left over."""
    groups: dict[object, list[Series]] = {}
    for series in short:
        groups.setdefault(key(series), []).append(series)
    stacks: list[Series] = []
    others: list[Series] = []
    for alike in groups.values():
        places = {tuple(_position(series.header).round(2)) for series in alike}
        if len(alike) >= FEWEST and len(places) >= FEWEST:
            stacks.append(_joined(alike))
        else:
            others += alike
    return stacks, others


def _joined(alike: Sequence[Series]) -> Series:
    first = alike[0]
    return Series(
        first.uid,
        [file for series in alike for file in series.files],
        sum((series.passed_over for series in alike), Counter()),
        tuple(series.uid for series in alike[1:]),
        tuple(
            name for name in (*CALLED, *SHARED) if not all(_agree(first, series, name) for series in alike)
        ),
    )


def _agree(one: Series, other: Series, name: str) -> bool:
    mine, theirs = one.header.get(name), other.header.get(name)
    if mine is None or theirs is None or isinstance(mine, str):
        return bool(mine == theirs)
    return np.shape(mine) == np.shape(theirs) and np.allclose(mine, theirs, rtol=0, atol=SAME)


def _name(series: Series) -> tuple[str, ...]:
    return tuple(str(series.header.get(name)) for name in (*MATRIX, *CALLED))


def _plane(series: Series) -> tuple[str, ...]:
    """Return what slices of one stack share whatever they are called."""
    orientation = series.header.get("ImageOrientationPatient") or ()
    return (
        *(str(series.header.get(name)) for name in MATRIX),
        *(f"{float(x) + 0.0:.2f}" for x in orientation),
    )


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
