"""Agreement of two label maps. Arrays only: nothing here knows a model, a file or a grid."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import GeometryError

Labels = NDArray[np.integer]
Mask = NDArray[np.bool_]


def dice(predicted: Labels, truth: Labels, label: int, *, where: Mask | None = None) -> float:
    """Overlap of one label in two maps: twice the shared voxels over the sum of both.

    Parameters
    ----------
    predicted, truth : ndarray of int
        Label maps of one shape.
    label : int
        The label that is compared.
    where : ndarray of bool, optional
        Voxels that count, such as those an expert labelled; without it all.

    Returns
    -------
    float
        In [0, 1]; NaN if the label occurs in neither, so that a mean over scans is not flattered.

    Raises
    ------
    GeometryError
        If the shapes differ.

    References
    ----------
    Dice (1945), Measures of the amount of ecologic association between species. Ecology 26.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics import dice
    >>> dice(np.array([1, 1, 2, 0]), np.array([1, 0, 2, 0]), 2)
    1.0
    """
    in_predicted, in_truth = _voxels_of(predicted, truth, label, where)
    total = int(in_predicted.sum()) + int(in_truth.sum())
    return 2.0 * int((in_predicted & in_truth).sum()) / total if total else float("nan")


def volume_ratio(predicted: Labels, truth: Labels, label: int, *, where: Mask | None = None) -> float:
    """Predicted voxels of one label over the true ones.

    Parameters
    ----------
    predicted, truth : ndarray of int
        Label maps of one shape.
    label : int
        The label that is compared.
    where : ndarray of bool, optional
        Voxels that count, such as those an expert labelled; without it all.

    Returns
    -------
    float
        1 is right, 0 an emptied class, 2 twice too many; NaN if the truth holds none.

    Raises
    ------
    GeometryError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.metrics import volume_ratio
    >>> volume_ratio(np.array([1, 1, 2, 0]), np.array([1, 0, 2, 0]), 1)
    2.0
    """
    in_predicted, in_truth = _voxels_of(predicted, truth, label, where)
    n_true = int(in_truth.sum())
    return int(in_predicted.sum()) / n_true if n_true else float("nan")


def confusion(
    predicted: Labels, truth: Labels, labels: Sequence[int], *, where: Mask | None = None
) -> NDArray[np.int64]:
    """Count voxels by true label (rows) and predicted label (columns), (L, L) in the order of `labels`.

    Voxels with another label in either map are left out. Raises GeometryError if the shapes differ.
    """
    _check_shapes(predicted, truth, where)
    order = np.asarray(labels)
    is_scored = np.isin(truth, order) & np.isin(predicted, order)
    if where is not None:
        is_scored &= where
    position = np.zeros(int(order.max()) + 1, dtype=np.int64)
    position[order] = np.arange(order.size)
    cell = position[truth[is_scored]] * order.size + position[predicted[is_scored]]
    return np.bincount(cell, minlength=order.size**2).reshape(order.size, order.size)


def _voxels_of(predicted: Labels, truth: Labels, label: int, where: Mask | None) -> tuple[Mask, Mask]:
    _check_shapes(predicted, truth, where)
    if where is None:
        return predicted == label, truth == label
    return (predicted == label) & where, (truth == label) & where


def _check_shapes(predicted: Labels, truth: Labels, where: Mask | None) -> None:
    shapes = {array.shape for array in (predicted, truth, where) if array is not None}
    if len(shapes) > 1:
        listed = ", ".join(str(shape) for shape in sorted(shapes))
        raise GeometryError(
            f"Label maps of different shapes cannot be compared: {listed}. Resample one first."
        )
