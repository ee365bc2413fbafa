"""Small images of two classes that one spot tells apart, labelled as MedMNIST has it."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIDE = 16


def draw_images(labels: NDArray[np.integer], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw noise, with a brighter spot in images of class 1."""
    images = rng.integers(0, 120, (len(labels), SIDE, SIDE))
    images[:, 5:9, 5:9] += 60 * np.asarray(labels)[:, None, None]
    return images.astype(np.uint8)


def write_labelled(path: Path, *, n_train: int = 24, n_test: int = 24, seed: int = 100, **changes) -> Path:
    """Write labelled images of both splits; `changes` replaces arrays by name, None leaves one out."""
    rng = np.random.default_rng(seed)
    held: dict[str, NDArray | None] = {}
    for split, n in (("train", n_train), ("test", n_test)):
        labels = np.arange(n) % 2
        held[f"{split}_images"] = draw_images(labels, rng)
        held[f"{split}_labels"] = labels.astype(np.uint8)[:, None]
    kept = {key: value for key, value in (held | changes).items() if value is not None}
    np.savez(path, **kept)
    return path
