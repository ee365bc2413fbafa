"""Scans on one grid, in memory or mapped from disk."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import ArrayError, InputError

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Scans:
    """Scans on one grid, in memory or mapped from disk; nothing here reads them whole.

    Parameters
    ----------
    values : ndarray of shape (N, C, I, J, K), float32
        Intensities of about [0, 1], 0 outside the mask. For single slices K is 1.
    masks : ndarray of shape (N, I, J, K), bool
        Brain masks.
    names : sequence of str, default ()
        Names of the scans, for messages.
    subjects : sequence of str, default ()
        Whose each scan is, where a subject has several; without them each scan is a subject of its own.
    targets : ndarray of shape (N, T, I, J, K), float32, optional
        What a pretraining asks of each voxel, made from the scans themselves, such as tissue fractions.
    covariates : ndarray of shape (N,) or (N, P), float, optional
        What else is known of each scan, such as the age in years.
    labels : ndarray of shape (N,), int, optional
        Class of each scan, from 0 on; -1 where it is not known.

    Raises
    ------
    InputError
        If the shapes do not go together, a covariate is not finite, or a label is no class.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.anomaly import Scans
    >>> scans = Scans.of_arrays(np.random.default_rng(0).random((5, 8, 8)))
    >>> len(scans), scans.shape
    (5, (1, 8, 8, 1))
    >>> len(scans.take([0, 2]))
    2
    """

    values: Array
    masks: Mask
    names: Sequence[str] = field(default=())
    subjects: Sequence[str] = field(default=())
    targets: Array | None = None
    covariates: NDArray[np.floating] | None = None
    labels: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 5 or self.masks.shape != self.values.shape[:1] + self.values.shape[2:]:
            raise InputError(
                "Scans are (N, C, I, J, K) with masks (N, I, J, K); "
                f"got {self.values.shape} and {self.masks.shape}."
            )
        if self.targets is not None and self.targets[:, 0].shape != self.masks.shape:
            raise InputError(
                f"Targets are (N, T, I, J, K) on the grid of the scans, {self.masks.shape}; "
                f"got {self.targets.shape}."
            )
        if self.covariates is not None:
            _check_covariates(self.covariates, len(self.values))
        if self.labels is not None:
            _check_labels(self.labels, len(self.values))

    @classmethod
    def of_arrays(cls, values: NDArray[np.floating], masks: Mask | None = None) -> "Scans":
        """Take arrays of any of the usual shapes.

        Parameters
        ----------
        values : ndarray of shape (N, I, J, K), (N, H, W), (N, C, I, J, K) or (N, D)
            Volumes, slices, volumes with channels, or rows of numbers.
        masks : ndarray of shape (N, I, J, K), (N, H, W) or (N, D), bool, optional
            What is looked at. Without it everything that is not 0 in the first channel; of rows all.

        Returns
        -------
        Scans
            The scans, named by their positions.

        Raises
        ------
        ArrayError
            If a value is not a finite real number, or arrays have another number of axes.
        """
        data = _as_numbers(values)
        if data.ndim in (2, 3):
            grid = (*data.shape, *(1,) * (4 - data.ndim))
            masks = masks.reshape(grid) if masks is not None and masks.shape == data.shape else masks
            data = data.reshape(grid)
        if data.ndim == 4:
            data = data[:, None]
        broken = [n for n, one in enumerate(data) if not np.isfinite(one).all()]
        if broken:
            raise ArrayError(
                f"Array {broken[0]} holds values that are no finite numbers (NaN or inf); set them to 0."
            )
        if masks is None:
            masks = np.ones_like(data[:, 0], bool) if _is_row(data) else data[:, 0] != 0
        return cls(data, np.asarray(masks, dtype=bool), tuple(str(n) for n in range(len(data))))

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self) -> Iterator[tuple[Array, Mask]]:
        """Yield each scan's values (C, I, J, K) and mask (I, J, K)."""
        yield from zip(self.values, self.masks, strict=True)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Channels and grid (C, I, J, K)."""
        channels, i, j, k = self.values.shape[1:]
        return channels, i, j, k

    @property
    def are_rows(self) -> bool:
        """Whether these are rows of numbers, in which 0 is no background and a column may be a feature."""
        return _is_row(self.values)

    def take(self, chosen: Sequence[int]) -> "Scans":
        """Take some of the scans.

        Parameters
        ----------
        chosen : sequence of int
            Their positions.

        Returns
        -------
        Scans
            These scans, in that order.
        """
        index = list(chosen)
        names, subjects = (tuple(known[n] for n in index if known) for known in (self.names, self.subjects))
        targets = None if self.targets is None else self.targets[index]
        covariates = None if self.covariates is None else self.covariates[index]
        labels = None if self.labels is None else self.labels[index]
        return Scans(self.values[index], self.masks[index], names, subjects, targets, covariates, labels)


def _check_covariates(covariates: NDArray[np.floating], n: int) -> None:
    """Raise InputError unless they are finite numbers, one row a scan."""
    if covariates.ndim not in (1, 2) or len(covariates) != n:
        raise InputError(f"Covariates are (N,) or (N, P) of {n} scans; got {covariates.shape}.")
    unknown = np.argwhere(~np.isfinite(covariates))
    if len(unknown):
        raise InputError(f"The covariate of scan {unknown[0, 0]} is not finite. Leave the scan out (`take`).")


def _check_labels(labels: NDArray[np.integer], n: int) -> None:
    """Raise InputError unless they are numbers of classes, one a scan."""
    if labels.shape != (n,) or labels.dtype.kind not in "iu" or (n and labels.min() < -1):
        raise InputError(
            f"Labels are whole numbers (N,) of {n} scans: classes from 0 on, or -1 where none is known; "
            f"got {labels.dtype} of shape {labels.shape}."
        )


def _is_row(values: Array) -> bool:
    return values.shape[3:] == (1, 1)


def _as_numbers(values: Any) -> Array:
    """Return arrays as float32. Raises ArrayError for what is no stack of arrays of real numbers."""
    if hasattr(values, "toarray"):
        raise ArrayError("Sparse input is not supported; give values.toarray().")
    given = np.asarray(values)
    if given.dtype.kind == "c":
        raise ArrayError("Complex data not supported: give magnitudes, np.abs(values).")
    if not 2 <= given.ndim <= 5:
        raise ArrayError(
            f"Expected 2D array or one of (N, H, W), (N, I, J, K), (N, C, I, J, K), got shape {given.shape}. "
            "Reshape your data: values[None] is a stack of one array."
        )
    if not given.size:
        missing = "sample" if not len(given) else "feature"
        raise ArrayError(
            f"Found array with 0 {missing}(s) (shape={given.shape}) while a minimum of 1 is required."
        )
    return given.astype(np.float32, copy=False)
