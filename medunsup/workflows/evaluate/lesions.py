"""The true lesions of a case."""

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.reading import region_of
from medunsup.core.errors import EmptyImageError, GeometryError, InputError
from medunsup.core.geometry import check_same_grid
from medunsup.core.volume import Volume
from medunsup.io.load import Coordinates


def true_lesions(case: Case, image: Volume, coordinates: Coordinates = "auto") -> NDArray[np.bool_] | None:
    """Read the lesions (I, J, K); none where the table says the scan is healthy, None where nothing is known.

    Raises GeometryError if the mask lies on another grid than the scan, InputError if it is no mask, or if a
    scan named healthy has lesions.
    """
    from medunsup.io.load import load

    if case.lesions is None:
        return np.zeros(image.shape, dtype=bool) if case.is_healthy else None
    try:
        given = load(case.lesions, coordinates=coordinates)
    except EmptyImageError:
        return np.zeros(image.shape, dtype=bool)
    try:
        check_same_grid(given.grid, image.grid, "the lesions and the scan")
    except GeometryError as error:
        raise GeometryError(f"{case.lesions}: {error}") from error
    truth = region_of(case.lesions, given.data)
    if case.group and case.is_healthy and truth.any():
        raise InputError(f"{case.scan}: is named {case.group}, but its lesion mask is not empty.")
    return truth
