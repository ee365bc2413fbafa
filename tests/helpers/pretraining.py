"""Every registered pretraining method, small enough to be trained in a moment."""

from pathlib import Path
from typing import Any

import numpy as np

from medunsup.core.registry import method, methods
from medunsup.selfsupervised.base import SelfSupervised

SMALL: dict[str, Any] = {
    "epochs": 2,
    "batch_size": 6,
    "learning_rate": 3e-3,
    "encoder_parameters": {"channels": 8, "levels": 2},
}
METHODS = [(card.name, dims) for card in methods("selfsupervised") for dims in card.dims]


def make(name: str, dims: int, **parameters: Any) -> SelfSupervised:
    """Make an unfitted method."""
    kind = method("selfsupervised", name)
    return kind(kind.Config.parse({**SMALL, "dims": dims, **parameters}))


def write_images(
    path: Path, n: int = 12, *, n_validation: int = 4, channels: int = 1, repeats: int = 0, seed: int = 0
) -> Path:
    """Write grey or coloured images of 16 x 16; the first `repeats` of validation are training images."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (n + n_validation, 16, 16, channels), np.uint8)
    train, validation = images[:n], images[n:]
    validation[:repeats] = train[:repeats]
    held = {"train_images": train, "val_images": validation, "train_labels": np.zeros((n, 1), np.uint8)}
    if channels == 1:
        held |= {key: held[key][..., 0] for key in ("train_images", "val_images")}
    np.savez(path, **held)
    return path
