"""Kernel principal components: straight axes in a space that a kernel opens."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.core.registry import register
from medunsup.reduction.base import Floats, Reduction, ReductionConfig
from medunsup.reduction.kernel_axes import KernelAxes

Kernel = Literal["rbf", "poly", "cosine"]


class KernelPCAConfig(ReductionConfig):
    """Parameters of kernel principal components."""

    kernel: Kernel = Field("rbf", description="how alike two rows are")
    gamma: float | None = Field(
        None, gt=0, description="inverse squared width of rbf, factor of poly; None takes that of the rows"
    )
    degree: int = Field(3, ge=1, le=10, description="power of poly")


@register(
    "kernel_pca",
    family="kernel",
    dims=(2, 3),
    paper="Schölkopf, Smola & Müller (1998), Nonlinear component analysis as a kernel eigenvalue problem. "
    "Neural Computation.",
    limit="The width of the kernel decides what is seen, and no rule for it is right for all tables.",
)
class KernelPCA(Reduction):
    """Principal components in the space of a kernel, so that curved structure can come apart.

    Without `gamma` the width of rbf is the median distance of two rows, and the factor of poly 1 / D.

    Parameters
    ----------
    n_components : int, default 2
        Axes of the map.
    standardize : bool, default True
        Bring each feature to mean 0 and standard deviation 1 before anything else.
    kernel : {'rbf', 'poly', 'cosine'}, default 'rbf'
        How alike two rows are.
    gamma : float, optional
        Inverse squared width of rbf, factor of poly; without it that of the rows.
    degree : int, default 3
        Power of poly.

    Attributes
    ----------
    gamma_ : float
        The width or factor that was taken.
    embedding_ : ndarray of shape (N, n_components)
        Places of the fitted rows, in their order.
    explained_ : ndarray of shape (n_components,)
        Share of the variance that each axis holds.
    placement_ : str
        'exact': new rows are placed by the method itself.
    remarks_ : tuple of str
        What was done otherwise than asked, in words.
    n_features_in_ : int
        Number of features D.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.reduction import KernelPCA
    >>> rows = np.random.default_rng(0).normal(size=(40, 5))
    >>> KernelPCA().fit_transform(rows).shape
    (40, 2)
    """

    Config = KernelPCAConfig
    gamma_: float
    _axes: Floats
    _means: Floats
    _learned = ("gamma_", "_axes", "_means", "explained_")
    _most_rows = 10_000

    def __init__(
        self,
        *,
        n_components: int = 2,
        standardize: bool = True,
        kernel: Kernel = "rbf",
        gamma: float | None = None,
        degree: int = 3,
    ) -> None:
        self.n_components, self.standardize = n_components, standardize
        self.kernel, self.gamma, self.degree = kernel, gamma, degree

    def _learn(self, rows: Floats, counts: NDArray[np.intp], config: Any) -> Floats:
        self.gamma_ = config.gamma or self._usual_gamma(rows)
        kernel = np.stack([self._alike(row, rows) for row in rows])
        found = KernelAxes.of((kernel + kernel.T) / 2, config.n_components)
        self._axes, self._means, self.explained_ = found.axes, found.means, found.shares
        return self._each(rows)

    def _place(self, row: Floats) -> Floats:
        rows = self._scaled(self._rows)
        return KernelAxes(self._axes, self._means, np.empty(0)).place(self._alike(row, rows))

    def _usual_gamma(self, rows: Floats) -> float:
        if self.kernel != "rbf":
            return 1 / rows.shape[1]
        from scipy.spatial.distance import pdist

        return float(1 / np.median(pdist(rows, "sqeuclidean")))

    def _alike(self, row: Floats, rows: Floats) -> Floats:
        if self.kernel == "rbf":
            return np.exp(-self.gamma_ * np.square(rows - row).sum(axis=1))
        products = rows @ row
        if self.kernel == "poly":
            return (self.gamma_ * products + 1) ** self.degree
        lengths = np.linalg.norm(rows, axis=1) * np.linalg.norm(row)
        return products / np.where(lengths > 0, lengths, 1.0)
