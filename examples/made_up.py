"""What the examples are made of: the MNI152 average, bent and dimmed copies of it, and pictures of planes.

Nothing is downloaded: nilearn's package holds the average brain.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import nibabel
import numpy as np
from nilearn.datasets import load_mni152_template
from scipy.ndimage import gaussian_filter, map_coordinates


def average(spacing_mm: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """The T1w average of 152 healthy brains without skull, in [0, 1], and its affine."""
    image = load_mni152_template(resolution=spacing_mm)
    values = np.asarray(image.dataobj, np.float32)
    return values / values.max(), image.affine


def folder() -> Path:
    """A new folder for what an example writes."""
    return Path(tempfile.mkdtemp(prefix="example-"))


def write(values: np.ndarray, affine: np.ndarray, path: Path) -> Path:
    """Write an image as NIfTI."""
    image = nibabel.Nifti1Image(values.astype(np.float32), affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


def person(values: np.ndarray, seed: int, noise: float = 0.02) -> np.ndarray:
    """A brain like the average one and yet another: bent by some mm, brighter or darker, noisy."""
    rng = np.random.default_rng(seed)
    bend = [gaussian_filter(rng.normal(size=values.shape), 6) for _ in range(3)]
    places = np.indices(values.shape, dtype=float)
    moved = [place + 1.2 * shift / shift.std() for place, shift in zip(places, bend, strict=True)]
    bent = map_coordinates(values, moved, order=1, mode="nearest")
    dimmed = bent * rng.uniform(0.9, 1.1) + noise * rng.normal(size=values.shape)
    return np.where(bent > 0.05, dimmed, 0).clip(0).astype(np.float32)


def ball(affine: np.ndarray, shape: tuple[int, ...], center_mm: tuple, radius_mm: float) -> np.ndarray:
    """Voxels within a ball."""
    index = np.indices(shape).reshape(3, -1)
    world = affine[:3, :3] @ index + affine[:3, 3:]
    return (np.linalg.norm(world.T - center_mm, axis=1) <= radius_mm).reshape(shape)


def planes(maps: dict[str, np.ndarray], at: tuple[int, int, int] | None = None, **how: object) -> None:
    """Draw three planes of each map, radiologists' way round: the patient's left at the right."""
    figure, axes = plt.subplots(len(maps), 3, figsize=(7.5, 2.6 * len(maps)), squeeze=False)
    for row, (name, values) in zip(axes, maps.items(), strict=True):
        i, j, k = at or tuple(n // 2 for n in values.shape)
        for axis, plane in zip(row, (values[:, :, k], values[:, j, :], values[i, :, :]), strict=True):
            axis.imshow(plane.T[::-1, ::-1], **{"cmap": "gray", "interpolation": "nearest", **how})
            axis.set_axis_off()
        row[0].set_title(name, loc="left", fontsize=10)
    figure.tight_layout()
