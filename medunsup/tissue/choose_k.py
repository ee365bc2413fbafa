"""How many classes does a scan hold? The curves of two criteria, and what they propose."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.tissue.base import Array
from medunsup.tissue.textbook import Values, fit_sample

CANDIDATES = (2, 3, 4, 5, 6)
MAX_VOXELS = 5_000
CLEAR_GAIN_NATS = 0.02  # log-likelihood a voxel, beyond the BIC's own penalty


@dataclass(frozen=True)
class ModelSelection:
    """The curves over `k` and the choice: `bic` of mixtures, `inertia` of k-means, `rule` in words."""

    k: tuple[int, ...]
    bic: tuple[float, ...]
    inertia: tuple[float, ...]
    best_bic: int
    elbow: int
    chosen: int
    rule: str

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for `Fit.model_selection` and the sidecar."""
        return asdict(self)


def choose_k(
    intensity: Array,
    mask: NDArray[np.bool_],
    *,
    candidates: Sequence[int] = CANDIDATES,
    seed: int = 0,
) -> ModelSelection:
    """Propose the number of classes from intensity alone.

    `intensity` (C, I, J, K), `mask` (I, J, K). The minimum of the BIC (Schwarz, 1978) decides where it is
    clear. On real scans it seldom is: tissues are not Gaussian, so the BIC rewards ever more classes; then
    the elbow of the k-means inertia decides (the point farthest below the chord; Satopaa et al., 2011).
    Intensity alone cannot say what anatomy knows: the result is a proposal, to be read beside its curve.

    Raises InputError if the mask holds too few voxels or the intensities are constant.
    """
    from threadpoolctl import threadpool_limits

    ks = tuple(sorted(set(candidates)))
    sample = fit_sample(intensity, mask, max(ks), MAX_VOXELS)
    sample = (sample - sample.mean(axis=0)) / sample.std(axis=0)
    with threadpool_limits(limits=1):  # a sample needs no more, and the curves then are the same everywhere
        bic = _bic_curve(sample, (1, *ks), seed)
        inertia = _inertia_curve(sample, ks, seed)
    best_bic, elbow = ks[int(np.argmin(bic[1:]))], _elbow(inertia, ks)
    is_clear = _is_clear_minimum(bic, *sample.shape)
    return ModelSelection(
        k=ks,
        bic=tuple(bic[1:]),
        inertia=tuple(inertia),
        best_bic=best_bic,
        elbow=elbow,
        chosen=best_bic if is_clear else elbow,
        rule="clear minimum of the BIC"
        if is_clear
        else "elbow of the inertia, as the BIC has no clear minimum",
    )


def _bic_curve(sample: Values, ks: Sequence[int], seed: int) -> list[float]:
    from sklearn.mixture import GaussianMixture

    return [
        float(GaussianMixture(k, reg_covar=1e-4, n_init=3, random_state=seed).fit(sample).bic(sample))
        for k in ks
    ]


def _inertia_curve(sample: Values, ks: Sequence[int], seed: int) -> list[float]:
    from sklearn.cluster import KMeans

    return [float(KMeans(k, n_init=4, random_state=seed).fit(sample).inertia_) for k in ks]


def _is_clear_minimum(bic: Sequence[float], n_voxels: int, n_channels: int) -> bool:
    """Whether fewer classes are clearly worse and more classes gain less than half of what they cost.

    `bic` starts at K = 1. The last K cannot be a minimum: nothing shows that the curve turns there.
    """
    best = int(np.argmin(bic[1:])) + 1
    gain_nats = (min(bic[:best]) - bic[best]) / (2 * n_voxels)
    cost_a_class = (1 + n_channels + n_channels * (n_channels + 1) / 2) * np.log(n_voxels)
    more = np.array(bic[best + 1 :]) - bic[best]
    is_flat_after = bool((more >= 0.5 * cost_a_class * np.arange(1, more.size + 1)).all())
    return more.size > 0 and gain_nats >= CLEAR_GAIN_NATS and is_flat_after


def _elbow(curve: Sequence[float], ks: Sequence[int]) -> int:
    """Find the K farthest below the straight line between the curve's ends."""
    x = (np.array(ks) - ks[0]) / (ks[-1] - ks[0])
    y = (np.array(curve) - curve[-1]) / (curve[0] - curve[-1])
    return int(ks[int(np.argmax(1 - x - y))])
