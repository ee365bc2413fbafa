"""Spoilt copies of a scan: Rician noise, smooth bias fields, outliers; for benchmarks/robustness.py."""

import numpy as np

from medunsup.core.volume import Volume


def spoil(image: Volume, mask: np.ndarray, how: str, seed: int = 0) -> Volume:
    """Spoil a scan as named: 'noise 3 % bias 40 %', one of OUTLIERS, or 'nothing'."""
    if how.startswith("noise"):
        noise, bias = float(how.split()[1]) / 100, float(how.split()[4]) / 100
        return noisy(biased(image, mask, bias), mask, noise, seed)
    return image if how == "nothing" else with_outliers(image, mask, how, seed)


def biased(image: Volume, mask: np.ndarray, strength: float) -> Volume:
    """Multiply by a smooth field that runs from 1 - strength / 2 to 1 + strength / 2 within the mask."""
    axes = [np.linspace(-1, 1, size, dtype=np.float32) for size in image.shape]
    x, y, z = np.meshgrid(*axes, indexing="ij", sparse=True)
    ramp = 0.6 * x + 0.5 * y - 0.7 * z + 0.4 * x * y - 0.3 * z * z
    low, high = ramp[mask].min(), ramp[mask].max()
    return image.like((image.data * (1 + strength * ((ramp - low) / (high - low) - 0.5))).astype(np.float32))


def noisy(image: Volume, mask: np.ndarray, noise: float, seed: int) -> Volume:
    """Add Rician noise with an sd of `noise` times the 98th percentile inside the mask."""
    rng = np.random.default_rng(seed)
    sd = noise * np.percentile(image.data[mask], 98)
    real, imaginary = (rng.normal(0, sd, image.shape).astype(np.float32) for _ in range(2))
    return image.like(np.hypot(image.data + real, imaginary))


def with_outliers(image: Volume, mask: np.ndarray, kind: str, seed: int) -> Volume:
    """Set 1 % of the mask's voxels, scattered, or a block of 2 % of them, to 4 times the brightest or 0."""
    top = 4 * np.percentile(image.data[mask], 99.9)
    index, rng = np.argwhere(mask), np.random.default_rng(seed)
    if kind.endswith("block"):
        center = index[rng.integers(len(index))]
        nearest = np.argsort(abs(index - center).max(axis=1), kind="stable")[: len(index) // 50]
        chosen = [index[nearest]]
    else:
        chosen = [index[rng.choice(len(index), len(index) // 100, replace=False)] for _ in range(2)]
    values = {"bright": (top,), "dark": (0.0,), "both": (top, 0.0)}[kind.split()[0]]
    data = image.data.copy()
    for value, voxels in zip(values, chosen, strict=False):
        data[tuple(voxels.T)] = value
    return image.like(data)


def in_field(image: Volume, mask: np.ndarray, kind: str, factor: float) -> Volume:
    """Multiply by a smooth field whose percentiles 99 and 1 in the mask differ by `factor`."""
    index = np.indices(image.shape, dtype=np.float32).reshape(3, -1)
    place = (image.affine[:3, :3].astype(np.float32) @ index).reshape(3, *image.shape)
    low, high = (np.percentile(place[:, mask], percent, axis=1)[:, None, None, None] for percent in (1, 99))
    x, y, z = (2 * place - low - high) / (high - low)
    r2 = x**2 + y**2 + z**2
    shape = {"none": z, "centre": -r2, "border": r2, "head to foot": z, "back to front": y}[kind]
    dim, bright = np.percentile(shape[mask], (1, 99))
    power = np.clip((shape - dim) / (bright - dim), -1, 2) - 0.5
    return image.like((image.data * factor**power).astype(np.float32))
