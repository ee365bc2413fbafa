"""Cohorts of features whose groups are known, and cohorts without any."""

import numpy as np

FEATURES = 100
NULLS = ("isotropic", "correlated", "skewed", "heavy-tailed", "gradient")


def groups(
    k: int, separation: float, n: int, *, even: bool = True, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, 100) of K Gaussians of standard deviation 1, and which is whose.

    `separation` is the distance of any two centres; not `even`: the first group is three times the others.
    """
    rng = np.random.default_rng(seed)
    axes, _ = np.linalg.qr(rng.normal(size=(FEATURES, k)))
    shares = np.ones(k) if even else np.array([3.0] + [1.0] * (k - 1))
    truth = np.repeat(np.arange(k), np.round(n * shares / shares.sum()).astype(int))
    return axes.T[truth] * separation / np.sqrt(2) + rng.normal(size=(len(truth), FEATURES)), truth


def no_groups(kind: str, n: int, *, seed: int = 0) -> np.ndarray:
    """Rows (N, 100) of one group, of one of the kinds of `NULLS`."""
    rng = np.random.default_rng(seed)
    rows, factors = rng.normal(size=(n, FEATURES)), rng.normal(size=(n, 8)) @ rng.normal(size=(8, FEATURES))
    if kind == "correlated":
        return rows + 0.7 * factors
    if kind == "skewed":
        return np.exp(0.6 * (0.28 * factors + 0.6 * rows))
    if kind == "heavy-tailed":
        return rows / np.sqrt(rng.chisquare(4, size=(n, 1)) / 4)
    if kind == "gradient":
        axis = rng.normal(size=FEATURES)
        return rows + rng.uniform(-5, 5, size=(n, 1)) * axis / np.linalg.norm(axis)
    return rows
