"""Small copies of maps for the page: cropped, 8 bits, as fine as the room allows, in place to the voxel."""

import gzip
from base64 import b64encode
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.core.geometry import Affine

COMPRESSION = 6
MANY_GREYS = 128
FEW_GREYS = 64
SAMPLED = 6
SHARE_OF_LABELS = 0.08
CHARACTERS_A_BYTE = 4 / 3

Factors = tuple[float, float, float]


@dataclass(frozen=True)
class Copies:
    """The scan and its labels as base64 of gzipped NIfTI, how much coarser they are, and their greys."""

    scan: str
    labels: str
    factors: Factors
    greys: int


def fit(
    grey: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    spacing_mm: tuple[float, float, float],
    affine: Affine,
    room: int,
) -> Copies:
    """Pack the scan and its labels (I, J, K) into at most `room` characters, as finely as they fit.

    First with `MANY_GREYS` grey levels; what does not fit gets `FEW_GREYS`, then coarser voxels.
    """
    greys, excess = _first_guess(grey, room)
    voxel_mm3 = float(np.prod(spacing_mm)) * excess
    while True:
        factors = coarsening(spacing_mm, voxel_mm3)
        scan = as_text(as_nifti(in_levels(coarser(grey, factors), greys), affine, factors))
        drawn = as_text(as_nifti(coarser(labels, factors, order=0), affine, factors))
        needed = len(scan) + len(drawn)
        if needed <= room:
            return Copies(scan, drawn, factors, greys)
        greys, voxel_mm3 = FEW_GREYS, voxel_mm3 * max(1.0, needed / room) * 1.05


def _first_guess(grey: NDArray[np.uint8], room: int) -> tuple[int, float]:
    """Guess how many greys fit and how much larger the voxels must be, from every `SAMPLED`th slice."""
    for greys in (MANY_GREYS, FEW_GREYS):
        sample = in_levels(grey[:, :, ::SAMPLED], greys).tobytes(order="F")
        needed = (
            len(gzip.compress(sample, COMPRESSION)) * SAMPLED * CHARACTERS_A_BYTE + SHARE_OF_LABELS * room
        )
        if needed <= room:
            return greys, 1.0
    return FEW_GREYS, needed / room


def coarsening(spacing_mm: tuple[float, float, float], voxel_mm3: float) -> Factors:
    """How much coarser each axis gets for voxels of `voxel_mm3`: the finest axes give way first."""
    sides = np.geomspace(min(spacing_mm), max(spacing_mm) * 8, 2000)
    volumes = np.maximum(np.array(spacing_mm), sides[:, None]).prod(axis=1)
    side = float(sides[min(int(np.searchsorted(volumes, voxel_mm3)), len(sides) - 1)])
    i, j, k = (max(1.0, side / length) if side > min(spacing_mm) else 1.0 for length in spacing_mm)
    return i, j, k


def coarser(data: NDArray[np.uint8], factors: Factors, order: int = 1) -> NDArray[np.uint8]:
    """Resample (I, J, K) so that each voxel grows by `factors`; the outer faces stay where they are."""
    if max(factors) == 1:
        return data
    from scipy.ndimage import affine_transform, uniform_filter

    if order and max(factors) >= 2:
        odd = [2 * int(factor / 2) + 1 for factor in factors]  # an even filter would shift by half a voxel
        data = uniform_filter(data, odd, mode="nearest")
    shape = tuple(max(1, round(size / factor)) for size, factor in zip(data.shape, factors, strict=True))
    offset = (np.array(factors) - 1) / 2
    return affine_transform(data, np.array(factors), offset, shape, order=order, mode="nearest")


def in_levels(data: NDArray[np.uint8], levels: int) -> NDArray[np.uint8]:
    """Keep `levels` (a power of two) of the 256 values: a smaller file, and the eye sees little of it."""
    return data & np.uint8(256 - 256 // levels)


def as_nifti(data: NDArray[np.uint8], affine: Affine, factors: Factors) -> bytes:
    """Pack a gzipped NIfTI in memory; `affine` is that of the copy before it was made coarser."""
    from nibabel.nifti1 import Nifti1Image

    grown = affine.copy()
    grown[:3, :3] = affine[:3, :3] * factors
    grown[:3, 3] += affine[:3, :3] @ ((np.array(factors) - 1) / 2)
    return gzip.compress(Nifti1Image(data, grown).to_bytes(), COMPRESSION, mtime=0)


def as_text(data: bytes) -> str:
    """Base64, as pages carry bytes."""
    return b64encode(data).decode("ascii")
