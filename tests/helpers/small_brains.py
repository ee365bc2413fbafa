"""Small made-up scans: a smooth common anatomy, a little different in each, 0 outside an ellipsoid."""

import numpy as np
from scipy.ndimage import gaussian_filter

from medunsup.training.scan_stack import Scans


def small_brains(
    n: int = 6, shape: tuple[int, int, int] = (16, 16, 8), *, channels: int = 1, seed: int = 0
) -> Scans:
    """Scans (n, channels, *shape) in about [0, 1]; seeds differ in the persons, not in the anatomy.

    The covariate is an age from 20 to 80.
    """
    common, own = np.random.default_rng(7), np.random.default_rng(seed)
    grid = np.stack(np.meshgrid(*[np.linspace(-1, 1, side) for side in shape], indexing="ij"))
    masks = np.stack([(grid**2).sum(axis=0) < own.uniform(0.8, 1.0) for _ in range(n)])
    sigma = [0.0, *(side / 8 for side in shape)]
    anatomy = gaussian_filter(common.normal(size=(channels, *shape)), sigma)
    people = np.stack([gaussian_filter(own.normal(size=(channels, *shape)), sigma) for _ in range(n)])
    values = 0.5 + 0.15 * (anatomy / anatomy.std() + 0.5 * people / people.std())
    names = tuple(f"person {number}" for number in range(n))
    clipped = (np.clip(values, 0.02, 1) * masks[:, None]).astype(np.float32)
    return Scans(clipped, masks, names, covariates=np.linspace(20, 80, n))
