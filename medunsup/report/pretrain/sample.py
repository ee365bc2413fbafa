"""What the page knows of the items that were measured: features, a picture of each, whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.dataset.sources import SplitName

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class ShownSample:
    """Items that were measured after each epoch, by the encoder that is kept.

    `features` are (N, D), `pictures` (rows, columns, 3). `places` say where in its scan each item lies, if
    that is to be said; `subjects` (N,) number whose each is. `labels` (N,) number the `classes`, -1 where
    none is known, and are None if none is known at all. `brightness` (N,) is each item's mean intensity,
    `heights_mm` (N,) where the slice lies that each is.
    """

    split: SplitName
    features: NDArray[np.float32]
    pictures: Sequence[Pixels] = field(repr=False)
    names: Sequence[str]
    places: Sequence[str]
    subjects: NDArray[np.intp]
    brightness: NDArray[np.float64]
    labels: NDArray[np.int64] | None = None
    heights_mm: NDArray[np.float64] | None = None
    classes: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.features)

    def label_of(self, n: int) -> str:
        """Return the label of an item, to be read; empty if it has none."""
        return "" if self.labels is None or self.labels[n] < 0 else self.classes[self.labels[n]]
