"""Small made-up healthy arrays, a bright blob to insert, and models that stand in for trained networks."""

import numpy as np
from scipy.ndimage import gaussian_filter

from medunsup.training.scan_stack import Scans

SHAPE = (12, 14, 10)
BLOB = np.s_[3:6, 5:8, 4:7]


def healthy(n: int = 12, *, shape: tuple[int, ...] = SHAPE, channels: int = 1, seed: int = 0) -> Scans:
    """Smooth anatomy and four ways to vary that all seeds share, noise, and a mask that differs a little."""
    common, *modes = (_smooth(np.random.default_rng(n), (channels, *shape)) for n in range(5))
    rng = np.random.default_rng(seed)
    weights = rng.normal(0, 0.15, (n, 4))
    values = 1.2 + 0.2 * common + np.tensordot(weights, np.stack(modes), axes=1)
    values += rng.normal(0, 0.03, values.shape)
    masks = np.stack([_ball(shape, 1 + 0.02 * (number % 3)) for number in range(n)])
    values = (np.clip(values, 0.01, None) * masks[:, None]).astype(np.float32)
    return Scans(values, masks, tuple(f"scan{number}" for number in range(n)))


def with_blob(scans: Scans, amount: float = 0.6) -> Scans:
    """The same scans, brighter in `BLOB`."""
    values = scans.values.copy()
    values[(..., *BLOB)] += amount
    return Scans(values * scans.masks[:, None], scans.masks, scans.names)


def blob() -> np.ndarray:
    """Where the blob is, (I, J, K) bool."""
    truth = np.zeros(SHAPE, bool)
    truth[BLOB] = True
    return truth


class Blurring:
    """Offers everything a deep model could, by blurring: no network, no training."""

    method_name = "blurring"

    def reconstruct(self, values: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return gaussian_filter(values, (0, 2, 2, 2)).astype(np.float32) * mask

    def sample(self, values: np.ndarray, mask: np.ndarray, *, n: int, seed: int) -> np.ndarray:
        noise = np.random.default_rng(seed).normal(0, 0.05, (n, *values.shape))
        return ((self.reconstruct(values, mask) + noise) * mask).astype(np.float32)

    def encode(self, values: np.ndarray, mask: np.ndarray) -> np.ndarray:
        slices = values.reshape(-1, values.shape[-1]).T
        rows = [slices.mean(axis=1), slices.std(axis=1), slices.max(axis=1)]
        return np.stack(rows, axis=1).astype(np.float32)

    def restore(self, values: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return self.reconstruct(values, mask)

    def gradient(self, values: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return values - self.reconstruct(values, mask)

    def deviation(self, values: np.ndarray, mask: np.ndarray) -> np.ndarray:
        return np.abs(self.gradient(values, mask)).mean(axis=0) * mask


def _smooth(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    field = gaussian_filter(rng.normal(size=shape), (0, *(2.0 if size > 1 else 0 for size in shape[1:])))
    return field / field.std()


def _ball(shape: tuple[int, ...], scale: float) -> np.ndarray:
    axes = [np.linspace(-1, 1, size) if size > 1 else np.zeros(1) for size in shape]
    return sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij")) < 0.95 / scale
