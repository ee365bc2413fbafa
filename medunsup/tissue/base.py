"""The contract every tissue method keeps."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from medunsup.core.labels import Label

Array = NDArray[np.float32]


@dataclass(frozen=True)
class TissueInput:
    """What a tissue method may use. All arrays share one RAS+ grid (I, J, K).

    `intensity` (C, I, J, K), one channel a contrast, robustly scaled; `mask` (I, J, K) bool;
    `priors` (K, I, J, K) spatial probabilities in the order of `labels`, or None;
    `contrasts` one of T1w, T2w, FLAIR, PD a channel.
    """

    intensity: Array
    mask: NDArray[np.bool_]
    spacing_mm: tuple[float, float, float]
    contrasts: tuple[str, ...]
    labels: tuple[Label, ...]
    priors: Array | None = None


@dataclass(frozen=True)
class Component:
    """One Gaussian of the fitted mixture, in the units of the intensity given, per channel."""

    label: str
    weight: float
    mean: tuple[float, ...]
    sd: tuple[float, ...]


class TissueMethod(Protocol):
    """Fit on one scan; fitted values end in `_`. Class order is that of `TissueInput.labels`.

    posterior_ : (K, I, J, K) float32, probabilities that sum to 1 inside the mask, 0 outside.
    fractions_ : (K, I, J, K) float32, partial volume fractions, sum to 1 inside the mask; equal to
        `posterior_` for methods without a partial volume model.
    labels_ : (I, J, K) uint8, `Label.index` of the winning class inside the mask, 0 outside.
    entropy_ : (I, J, K) float32 in [0, 1], normalised entropy of the posterior, 0 outside the mask.
    bias_field_ : (C, I, J, K) float32, multiplicative, mean 1 inside the mask; or None.
    outlier_ : (I, J, K) float32, probability of belonging to no tissue; or None.
    components_ : the fitted Gaussians.
    log_likelihood_ : mean log-likelihood a voxel, one value an iteration.
    n_iter_ : iterations run. converged_ : whether the tolerance was met.
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
        """Fit to one scan and return self."""
        ...

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters used, as plain values for the sidecar."""
        ...
