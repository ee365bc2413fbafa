"""Made-up items of which few are labelled, and every registered method for them."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from helpers.small_brains import small_brains
from medunsup.core.registry import method, methods
from medunsup.nn import make_encoder
from medunsup.semisupervised.base import FewLabels
from medunsup.semisupervised.features import FeatureClassifier
from medunsup.training.scan_stack import Scans

FEATURES = [card.name for card in methods("semisupervised") if card.family == "features"]
NETWORKS = [card.name for card in methods("semisupervised") if card.family == "networks"]
TASKS = [(name, task) for name in NETWORKS for task in method("semisupervised", name).tasks]


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


def labelled_images(n: int = 16, *, each: int = 2, side: int = 16, seed: int = 0) -> Scans:
    """Images (n, 1, side, side, 1) of two classes, without and with a spot; `each` of both are labelled."""
    rng, truth = np.random.default_rng(seed), np.arange(n) % 2
    values = 0.2 + 0.2 * rng.random((n, 1, side, side, 1))
    values[:, :, 5:10, 5:10] += 0.3 * truth[:, None, None, None, None]
    labels = truth if each * 2 >= n else few(truth, each, seed=seed)
    return Scans(values.astype(np.float32), np.ones((n, side, side, 1), bool), labels=labels)


def labelled_brains(n: int = 4, *, known: int = 1, shape=(16, 16, 6), seed: int = 0) -> Scans:
    """Brains with their classes as last channel, 1 dark and 2 bright; -1 but for the first `known`."""
    scans = small_brains(n, shape, seed=seed)
    classes = np.where(scans.values > 0.55, 2, 1) * scans.masks[:, None]
    values = (0.4 * classes + 0.1 * scans.values).astype(np.float32)
    classes[known:] = -1
    return Scans(np.concatenate([values, classes.astype(np.float32)], axis=1), scans.masks, scans.names)


def scans_for(task: str, *, all_known: bool = False, seed: int = 0) -> Scans:
    """Few scans for either task, few of them labelled or all."""
    if task == "classify":
        return labelled_images(each=8 if all_known else 2, seed=seed)
    return labelled_brains(known=4 if all_known else 1, seed=seed)


def around_an_encoder(name: str, task: str = "classify", *, dims: int = 2, **parameters: Any) -> FewLabels:
    """Make an unfitted method around a small encoder with random weights."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        encoder = make_encoder("cnn", {"channels": 4, "levels": 2}, dims=dims, channels=1)
    kind = method("semisupervised", name)
    sizes: dict[str, Any] = {"steps": 4, "batch_size": 8, "encoder_share": 1.0}
    if "threshold" in kind.Config.model_fields:
        sizes["threshold"] = 0.0  # so few steps make nothing sure
    sizes |= parameters
    return kind(kind.Config.parse(sizes), encoder, classes=2 if task == "classify" else 3, task=task)
