"""Shapes of synthetic lesions, and places for them. A shape is a mask cut to its box, in grid voxels."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy import ndimage, signal

from medunsup.core.errors import InputError
from medunsup.metrics.components import components
from medunsup.training.scan_stack import Mask

Spacing = tuple[float, float, float]

AXIS_RATIO = 2.0


def ellipsoid(
    volume_mm3: float, generator: np.random.Generator, *, spacing_mm: Spacing, flat: bool = False
) -> Mask:
    """Draw an ellipsoid of random axes, none over twice another, and random direction.

    Its volume is as asked to within half a voxel, at least one voxel. `flat` gives an ellipse of one slice.
    """
    volume = max(volume_mm3, float(np.prod(spacing_mm)))
    axes = AXIS_RATIO ** generator.uniform(-0.5, 0.5, size=3)
    turn = np.linalg.qr(generator.normal(size=(3, 3)))[0]
    longest = np.sqrt(AXIS_RATIO * volume / spacing_mm[2] / np.pi) if flat else np.cbrt(3 * volume / np.pi)
    half = [int(np.ceil(longest / side)) + 1 for side in spacing_mm]
    index = np.meshgrid(*(np.arange(-n, n + 1) for n in (*half[:2], 0 if flat else half[2])), indexing="ij")
    offset_mm = np.stack(index, axis=-1) * spacing_mm
    radius = np.linalg.norm(offset_mm @ turn / axes, axis=-1)
    return _largest_values(-radius, round(volume / float(np.prod(spacing_mm))))


def real_shapes(lesions: Mask, *, spacing_mm: Spacing, least_mm3: float) -> list[Mask]:
    """Cut a mask (I, J, K) of real lesions into its connected components of at least `least_mm3`."""
    labels, _ = components(lesions > 0, voxel_mm3=float(np.prod(spacing_mm)), least_mm3=least_mm3)
    return [labels[box] == n + 1 for n, box in enumerate(ndimage.find_objects(labels))]


def scaled(
    shape: Mask,
    volume_mm3: float,
    generator: np.random.Generator,
    *,
    shape_spacing_mm: Spacing,
    spacing_mm: Spacing,
) -> Mask:
    """Bring a real shape to another grid and volume, mirrored at random along each axis.

    Its volume is as asked to within half a voxel, at least one voxel: the voxels deepest inside are taken.
    """
    flips = tuple(slice(None, None, int(step)) for step in generator.choice([-1, 1], size=3))
    padded = np.pad(shape[flips], 1 + max(shape.shape) // 4)
    inner = ndimage.distance_transform_edt(padded, sampling=shape_spacing_mm)
    outer = ndimage.distance_transform_edt(~padded, sampling=shape_spacing_mm)
    growth = np.cbrt(volume_mm3 / (shape.sum() * np.prod(shape_spacing_mm)))
    factors = [growth * old / new for old, new in zip(shape_spacing_mm, spacing_mm, strict=True)]
    depth = ndimage.zoom(inner - outer, factors, order=1, mode="nearest", grid_mode=True)
    n_voxels = max(1, round(volume_mm3 / float(np.prod(spacing_mm))))
    return _largest_values(depth, min(n_voxels, depth.size))


def drawn_from(
    shapes: Sequence[tuple[Mask, Spacing]], *, spacing_mm: Spacing
) -> Callable[[float, np.random.Generator], Mask]:
    """Return a function of volume in mm³ and generator that draws one of these shapes, each with its spacing.

    All are equally likely, and are brought to the grid and volume by `scaled`.
    """

    def draw(volume_mm3: float, generator: np.random.Generator) -> Mask:
        shape, own_mm = shapes[int(generator.integers(len(shapes)))]
        return scaled(shape, volume_mm3, generator, shape_spacing_mm=own_mm, spacing_mm=spacing_mm)

    return draw


def place(shape: Mask, tissue: Mask, generator: np.random.Generator, *, least_inside: float = 1.0) -> Mask:
    """Lay a shape at a random place of a grid (I, J, K), all such places being equally likely.

    At least a share `least_inside` of it lies in `tissue`; the rest is cut off.
    Raises InputError if there is no such place.
    """
    if any(side > room for side, room in zip(shape.shape, tissue.shape, strict=True)):
        raise InputError(f"A lesion of {shape.shape} voxels does not fit into a grid of {tissue.shape}.")
    inside = signal.fftconvolve(
        tissue.astype(np.float32), shape[::-1, ::-1, ::-1].astype(np.float32), mode="valid"
    )
    corners = np.flatnonzero(inside > least_inside * shape.sum() - 0.5)
    if corners.size == 0:
        raise InputError(
            f"No place holds {least_inside:.0%} of a lesion of {int(shape.sum())} voxels in the tissue; the "
            f"best holds {inside.max() / shape.sum():.0%}. Insert a smaller lesion, or allow a smaller share."
        )
    corner = np.unravel_index(generator.choice(corners), inside.shape)
    lesion = np.zeros(tissue.shape, dtype=bool)
    lesion[tuple(slice(at, at + side) for at, side in zip(corner, shape.shape, strict=True))] = shape
    return np.asarray(lesion & tissue)


def _largest_values(values: np.ndarray, n: int) -> Mask:
    """Mark the n voxels of the highest values, cut to their box."""
    chosen = np.zeros(values.size, dtype=bool)
    chosen[np.argpartition(values.ravel(), values.size - n)[values.size - n :]] = True
    mask = chosen.reshape(values.shape)
    return mask[ndimage.find_objects(mask.astype(np.uint8))[0]]
