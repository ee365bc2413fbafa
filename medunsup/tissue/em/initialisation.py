"""Where EM starts: from the priors, or from clusters of intensity where there are none."""

import numpy as np
from numpy.typing import NDArray

from medunsup.tissue.class_order import class_order
from medunsup.tissue.em.gaussian_mixture import Gaussians, from_responsibilities

Array = NDArray[np.float32]

MAX_VOXELS = 50_000


def start_from_priors(observed: Array, log_prior: Array) -> Gaussians:
    """Moments of the intensities `observed` (C, N) weighted by the priors (K, N)."""
    return from_responsibilities(observed, np.exp(log_prior))


def start_from_clusters(observed: Array, contrasts: tuple[str, ...], n_classes: int) -> Gaussians:
    """k-means from quantiles of the summed, contrast-signed channels: no random choice enters.

    Classes come in the order of `class_table(n_classes)`.
    """
    from scipy.cluster.vq import kmeans2

    sample = observed[:, :: max(1, observed.shape[1] // MAX_VOXELS)].T.astype(float)
    axis = np.linalg.svd(sample - sample.mean(axis=0), full_matrices=False)[2][0]
    along = sample @ axis
    cuts = np.quantile(along, np.linspace(0, 1, n_classes + 1)[1:-1])
    member = np.searchsorted(cuts, along)
    centres = np.stack([_center(sample, member == n) for n in range(n_classes)])
    centres, member = kmeans2(sample, centres, iter=50, minit="matrix", missing="warn")
    order = class_order(centres, contrasts, n_classes)
    one_hot = (member[None] == np.asarray(order)[:, None]).astype(np.float32) + 1e-3
    return from_responsibilities(sample.T.astype(np.float32), one_hot)


def _center(sample: NDArray[np.float64], chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    return np.asarray(sample[chosen].mean(axis=0) if chosen.any() else sample.mean(axis=0))
