"""The contract every tissue method keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from medunsup.core.labels import Label

Array = NDArray[np.float32]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class TissueInput:
    """What a tissue method may use; all arrays share one RAS+ grid.

    Parameters
    ----------
    intensity : ndarray of shape (C, I, J, K), float32
        One channel for each contrast, robustly scaled.
    mask : ndarray of shape (I, J, K), bool
        Brain mask.
    spacing_mm : tuple of float
        Voxel spacing in mm along each axis.
    contrasts : tuple of str
        One of 'T1w', 'T2w', 'FLAIR', 'PD' for each channel.
    labels : tuple of Label
        The classes; `TISSUES` for GM, WM and CSF.
    priors : ndarray of shape (K, I, J, K'), float32, optional
        Spatial probabilities in the order of `labels`.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.tissue import GMM, TISSUES, TissueInput
    >>> noise = np.random.default_rng(0).normal(0, 0.02, (1, 30, 10, 10))
    >>> scan = np.repeat([0.2, 0.5, 0.8], 10)[:, None, None] + noise  # CSF, GM, WM, as in T1w
    >>> mask = np.ones(scan.shape[1:], bool)
    >>> data = TissueInput(scan.astype(np.float32), mask, (1.0, 1.0, 1.0), ("T1w",), TISSUES)
    >>> GMM().fit(data).labels_[[0, 15, 25], 0, 0].tolist()
    [3, 1, 2]
    """

    intensity: Array
    mask: NDArray[np.bool_]
    spacing_mm: tuple[float, float, float]
    contrasts: tuple[str, ...]
    labels: tuple[Label, ...]
    priors: Array | None = None


@dataclass(frozen=True)
class Component:
    """One Gaussian of a fitted mixture.

    Attributes
    ----------
    label : str
        Abbreviation of its tissue.
    weight : float
        Its share of the voxels.
    mean, sd : tuple of float
        Mean and standard deviation in each channel, in units of the intensity given.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.tissue import GMM, TISSUES, TissueInput
    >>> noise = np.random.default_rng(0).normal(0, 0.02, (1, 30, 10, 10))
    >>> scan = np.repeat([0.2, 0.5, 0.8], 10)[:, None, None] + noise  # CSF, GM, WM, as in T1w
    >>> mask = np.ones(scan.shape[1:], bool)
    >>> data = TissueInput(scan.astype(np.float32), mask, (1.0, 1.0, 1.0), ("T1w",), TISSUES)
    >>> for one in GMM().fit(data).components_:
    ...     print(one.label, round(one.weight, 2), round(one.mean[0], 1))
    GM 0.33 0.5
    WM 0.33 0.8
    CSF 0.33 0.2
    """

    label: str
    weight: float
    mean: tuple[float, ...]
    sd: tuple[float, ...]


def components_of(
    labels: Sequence[Label], weights: Values, means: Values, sds: Values
) -> tuple[Component, ...]:
    """Describe the Gaussian of each label: `weights` (K,), `means` and `sds` (K, C)."""
    return tuple(
        Component(label.abbreviation, float(weight), tuple(mean.tolist()), tuple(sd.tolist()))
        for label, weight, mean, sd in zip(labels, weights, means, sds, strict=True)
    )


class TissueMethod(Protocol):
    """What a tissue method must offer: `fit` on one scan, then these attributes.

    The order of classes is that of `TissueInput.labels`.

    Attributes
    ----------
    posterior_ : ndarray of shape (K, I, J, K'), float32
        Probabilities that sum to 1 inside the mask, 0 outside.
    fractions_ : ndarray of shape (K, I, J, K'), float32
        Partial volume fractions that sum to 1 inside the mask; `posterior_` for methods without such a model.
    labels_ : ndarray of shape (I, J, K'), uint8
        `Label.index` of the winning class inside the mask, 0 outside.
    entropy_ : ndarray of shape (I, J, K'), float32
        Normalised entropy of the posterior in [0, 1], 0 outside the mask.
    bias_field_ : ndarray of shape (C, I, J, K'), float32, or None
        Multiplicative bias field, mean 1 inside the mask.
    outlier_ : ndarray of shape (I, J, K'), float32, or None
        Probability of belonging to no tissue.
    components_ : tuple of Component
        The fitted Gaussians.
    log_likelihood_ : tuple of float
        Mean log-likelihood a voxel, one value an iteration.
    n_iter_ : int
        Iterations run.
    converged_ : bool
        Whether the tolerance was met.

    Examples
    --------
    >>> import numpy as np
    >>> from medunsup.tissue import GMM, TISSUES, TissueInput
    >>> noise = np.random.default_rng(0).normal(0, 0.02, (1, 30, 10, 10))
    >>> scan = np.repeat([0.2, 0.5, 0.8], 10)[:, None, None] + noise  # CSF, GM, WM, as in T1w
    >>> mask = np.ones(scan.shape[1:], bool)
    >>> data = TissueInput(scan.astype(np.float32), mask, (1.0, 1.0, 1.0), ("T1w",), TISSUES)
    >>> method = GMM().fit(data)
    >>> method.posterior_.shape, sorted(method.parameters)[:2]
    ((3, 30, 10, 10), ['max_iter', 'max_voxels'])
    """

    posterior_: Array
    fractions_: Array
    labels_: NDArray[np.uint8]
    entropy_: Array
    bias_field_: Array | None
    outlier_: Array | None
    components_: tuple[Component, ...]
    log_likelihood_: tuple[float, ...]
    n_iter_: int
    converged_: bool

    def fit(self, data: TissueInput) -> "TissueMethod":
        """Fit to one scan.

        Parameters
        ----------
        data : TissueInput
            The scan.

        Returns
        -------
        TissueMethod
            This method, fitted.
        """
        ...

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters used, as plain values for the sidecar."""
        ...
