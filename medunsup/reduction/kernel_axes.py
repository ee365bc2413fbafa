"""Principal axes of a centred kernel, and where one more row lies on them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from medunsup.core.errors import ArrayError

Floats = NDArray[np.float64]

TINY = 1e-12  # of the largest eigenvalue: axes below it are rounding


@dataclass(frozen=True)
class KernelAxes:
    """`axes` (N, q) map a centred row of the kernel to its place; `means` (N,), `shares` (q,) of variance."""

    axes: Floats
    means: Floats
    shares: Floats

    @classmethod
    def of(cls, kernel: Floats, n_components: int) -> "KernelAxes":
        """Find the axes of a symmetric kernel (N, N); the largest weight of each is positive.

        Raises ArrayError if it has fewer axes along which rows differ.
        """
        means = kernel.mean(axis=0)
        centred = kernel - means - means[:, None] + means.mean()
        n = len(kernel)
        values, vectors = eigh(centred, subset_by_index=[n - n_components, n - 1])
        values, vectors = values[::-1], vectors[:, ::-1]
        if values[-1] <= TINY * values[0] or values[0] <= 0:
            raise ArrayError(
                f"The rows differ along fewer than {n_components} axes. Give fewer components, or more "
                "features."
            )
        signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(n_components)])
        total = np.trace(centred)
        return cls(signs * vectors / np.sqrt(values), means, values / max(total, values.sum()))

    def place(self, kernel: Floats) -> Floats:
        """Place one row by its kernel (N,) with the fitted rows."""
        centred = kernel - kernel.mean() - self.means + self.means.mean()
        return centred @ self.axes
