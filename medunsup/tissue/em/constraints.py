"""What a tissue's Gaussian may be: no class may vanish, swap with another or eat its neighbour."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from medunsup.tissue.em.gaussian_mixture import Gaussians

MIN_GAP = 0.02  # least distance between neighbouring means, in units of the scaled intensity


@dataclass(frozen=True)
class Constraints:
    """Bounds that every M-step keeps.

    `min_sd` bounds each standard deviation from below. `order` (K,) holds the classes from dark to bright
    in the first channel: their means stay apart and in this order. `t1w` are the positions of GM, WM and
    CSF in a lone T1-weighted scan with priors, or None: there cerebrospinal fluid is at least as much darker
    than grey matter as that is than white matter, times `csf_gap`, and varies as the tissues do. Voxels
    that fluid shares with cortex would otherwise draw its mean up, and cortex would be lost to it. Its
    mean is not pushed below `darkest`, what the darkest voxels are: strong noise leaves none at zero.
    `widest_gm` bounds grey matter's standard deviation there, in units of white matter's: in thick slices
    half of all voxels are shared, and a wide grey matter would take those that fluid is in.
    `pooling` in [0, 1] draws the classes' variances together, which keeps a class from spreading over
    another where no prior holds it.
    """

    order: NDArray[np.intp]
    min_sd: float
    t1w: tuple[int, int, int] | None = None
    csf_gap: float = 0.9
    darkest: float = 0.0
    widest_gm: float = np.inf
    pooling: float = 0.0

    def __call__(self, gaussians: Gaussians) -> Gaussians:
        """Return the nearest Gaussians that keep the bounds."""
        bounded = replace(
            gaussians,
            means=gaussians.means.copy(),
            covariances=_floored(gaussians.covariances, self.min_sd),
        )
        if self.pooling > 0:
            self._pool_variances(bounded)
        if self.t1w is not None and self.csf_gap > 0:
            self._hold_fluid(bounded, *self.t1w)
        self._hold_order(bounded)
        return bounded

    def _pool_variances(self, bounded: Gaussians) -> None:
        """Draw the classes' variances towards their geometric mean, channel by channel."""
        variances = np.diagonal(bounded.covariances, axis1=1, axis2=2)
        scale = np.exp(self.pooling / 2 * (np.log(variances).mean(axis=0) - np.log(variances)))
        bounded.covariances[:] *= scale[:, :, None] * scale[:, None, :]

    def _hold_fluid(self, bounded: Gaussians, gm: int, wm: int, csf: int) -> None:
        means, covariances = bounded.means, bounded.covariances
        highest = means[gm, 0] - self.csf_gap * (means[wm, 0] - means[gm, 0])
        means[csf, 0] = min(means[csf, 0], max(highest, self.darkest))
        covariances[gm] *= min(1.0, self.widest_gm**2 * covariances[wm, 0, 0] / covariances[gm, 0, 0])
        covariances[csf] = np.sqrt(covariances[gm] * covariances[wm])

    def _hold_order(self, bounded: Gaussians) -> None:
        means = bounded.means[self.order, 0]
        bounded.means[self.order, 0] = np.maximum.accumulate(means - MIN_GAP * np.arange(len(means)))
        bounded.means[self.order, 0] += MIN_GAP * np.arange(len(means))


def _floored(covariances: NDArray[np.float64], min_sd: float) -> NDArray[np.float64]:
    """Raise every principal variance to at least `min_sd` squared."""
    symmetric = (covariances + covariances.transpose(0, 2, 1)) / 2
    variances, axes = np.linalg.eigh(symmetric)
    return np.einsum("kij,kj,klj->kil", axes, np.maximum(variances, min_sd**2), axes)
