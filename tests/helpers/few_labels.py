"""Made-up items of which few are labelled, and every registered method for them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.registry import method, methods
from medunsup.semisupervised.features import FeatureClassifier

FEATURES = [card.name for card in methods("semisupervised") if card.family == "features"]


def on_features(name: str, **parameters: Any) -> FeatureClassifier:
    """Make an unfitted method on features."""
    kind = method("semisupervised", name)
    return kind(kind.Config.parse(parameters))


def blobs(n: int = 90, *, classes: int = 2, features: int = 2, apart: float = 6.0, seed: int = 0) -> Any:
    """Rows (n, features) around the origin or, from class 1 on, a place on an axis of its own, `apart` SD."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % classes
    rows = rng.normal(size=(n, features))
    for one in range(1, classes):
        rows[truth == one, one - 1] += apart
    return rows, truth


def moons(n: int = 300, *, noise: float = 0.08, seed: int = 0) -> Any:
    """Two half circles that reach into each other."""
    rng = np.random.default_rng(seed)
    truth = np.arange(n) % 2
    angle = rng.uniform(0, np.pi, n)
    rows = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rows = np.where(truth[:, None] == 1, [1, 0.5] - rows, rows)
    return rows + noise * rng.normal(size=rows.shape), truth


def few(truth: NDArray[np.integer], each: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Keep so many labels of each class; -1 elsewhere."""
    rng, labels = np.random.default_rng(seed), np.full(len(truth), -1)
    for one in np.unique(truth):
        labels[rng.choice(np.flatnonzero(truth == one), each, replace=False)] = one
    return labels
