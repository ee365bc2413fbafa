"""What every kind of features keeps to: one prepared scan in, named numbers out."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from medunsup.core.config import Config
from medunsup.core.errors import ArrayError

TISSUES = ("GM", "WM", "CSF")

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FeatureInput:
    """One scan on the template grid, and what is known of it.

    Parameters
    ----------
    values : ndarray of shape (C, I, J, K), float32
        The scan, about [0, 1] in the brain and 0 outside.
    mask : ndarray of shape (I, J, K), bool
        The brain.
    voxel_mm3 : float, default 1.0
        Volume of a voxel of the grid in the scan's own head, in mm³.
    fractions : ndarray of shape (3, I, J, K), float32, optional
        Shares of GM, WM and CSF of each voxel, which sum to 1 in the brain.
    volumes_ml : tuple of three float, optional
        GM, WM and CSF of the head in ml, as found at the scan's own resolution.

    Raises
    ------
    ArrayError
        If the shapes do not fit, a value is not finite, or the mask is empty.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.features import FeatureInput
    >>> int(FeatureInput(np.ones((1, 4, 4, 4)), np.ones((4, 4, 4), bool)).mask.sum())
    64
    """

    values: NDArray[np.float32]
    mask: NDArray[np.bool_]
    voxel_mm3: float = 1.0
    fractions: NDArray[np.float32] | None = None
    volumes_ml: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        mask, shape = np.asarray(self.mask, dtype=bool), np.shape(self.values)
        if len(shape) != 4 or shape[1:] != mask.shape:
            raise ArrayError(f"values are (C, I, J, K) with a mask (I, J, K), not {shape} with {mask.shape}.")
        if not mask.any():
            raise ArrayError("The brain mask is empty: there is nothing to take features of.")
        if not np.isfinite(self.values).all() or not 0 < self.voxel_mm3 < np.inf:
            raise ArrayError("values and voxel_mm3 are finite numbers, voxel_mm3 above 0.")
        if self.fractions is not None and self.fractions.shape != (len(TISSUES), *mask.shape):
            raise ArrayError(f"fractions are (3, I, J, K) of the mask's grid, not {self.fractions.shape}.")


class Feature(ABC):
    """Base of kinds of features.

    A subclass gives `describe`, which names the numbers and says how each is made, and `_values`. One that
    learns from a cohort sets `needs_fit` and gives `fit`.

    Parameters
    ----------
    config : Config, optional
        Parameters of the method, an instance of its class's `Config`; the defaults if not given.

    Examples
    --------
    >>> from medunsup.features import Feature, FirstOrder
    >>> issubclass(FirstOrder, Feature), FirstOrder.needs_tissues
    (True, True)
    """

    Config: ClassVar[type[Config]]
    method_name: ClassVar[str]
    needs_tissues: ClassVar[bool] = False
    needs_fit: ClassVar[bool] = False
    config: Any

    def __init__(self, config: Any = None) -> None:
        self.config = config or self.Config()

    @property
    def needs_volumes(self) -> bool:
        """Whether volumes found at the scan's own resolution are to be given, and no fractions."""
        return False

    def fit(self, scans: Iterable[FeatureInput]) -> Self:
        """Learn from a cohort what the features are relative to; most kinds have nothing to learn.

        Parameters
        ----------
        scans : iterable of FeatureInput
            The cohort, each scan handed over once.

        Returns
        -------
        Feature
            This method, fitted.
        """
        return self

    @abstractmethod
    def describe(self) -> dict[str, str]:
        """Return the name of each number and, in a sentence, how it is made; in the order of `transform`."""

    def images(self) -> Iterator[tuple[str, Floats]]:
        """Yield what was learned from a cohort as images on the grid, by name; most kinds have none.

        Yields
        ------
        tuple of str and ndarray of shape (I, J, K)
            Name of an image, and its voxels.
        """
        yield from ()

    @abstractmethod
    def _values(self, scan: FeatureInput) -> ArrayLike:
        """Return the numbers (D,)."""

    def transform(self, scan: FeatureInput) -> Floats:
        """Return the features of one scan.

        Parameters
        ----------
        scan : FeatureInput
            The scan, with tissue fractions if `needs_tissues`.

        Returns
        -------
        ndarray of shape (D,), float64
            One number for each name of `describe`, finite.

        Raises
        ------
        ArrayError
            If fractions are missing, or the scan does not hold what the features are of.
        """
        if self.needs_tissues and not self.needs_volumes and scan.fractions is None:
            raise ArrayError(f"{self.method_name} are taken by tissue: give fractions.")
        found = np.asarray(self._values(scan), dtype=np.float64)
        if not np.isfinite(found).all():
            names = [name for name, one in zip(self.describe(), found, strict=True) if not np.isfinite(one)]
            raise ArrayError(f"{self.method_name}: {', '.join(names)} cannot be told of this scan.")
        return found
