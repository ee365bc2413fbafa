"""Darken air and bone that are noise as bright as tissue, as in an MP2RAGE uniform (UNI) image.

Where both inversions hold noise alone, their ratio takes any value of the whole range (Marques et al.,
NeuroImage 49, 2010). An outline of the head by brightness then finds the noise. Noise is told from tissue by
how much neighbours differ. Limit: very thin bone keeps some of its brightness.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.record import Step
from medunsup.core.volume import Volume

Array = NDArray[np.float32]
Spacing = tuple[float, float, float]

LEAST_NOISE = 0.15  # sd of noise at the faces, of the tissues' range: other scans stay below 0.08
LEAST_LEVEL = 0.2  # its mean, likewise: noise of a magnitude image is dark
WIDTH_MM = 2.0
TRUNCATE = 4.0  # of the smoothing, in its sd
NOISE_BEGINS, NOISE_ENDS = 0.45, 0.75  # of the air's noise: less is tissue and its edges, more is noise alone
QUIET = 0.35
BELOW = 0.3  # of the range: how far below the darkest tissue the air is put, so that fluid stands out of it


def with_still_air(image: Volume, step: Step) -> Volume:
    """Return a whole head with dark air and bone if they are noise of full range, else the scan as it is."""
    smooth, at_faces = _smooth(image.data, image.spacing_mm), _faces(image.shape)
    darkest, brightest = (float(value) for value in np.percentile(smooth, (1, 99)))
    spread, air = max(brightest - darkest, 1e-30), float(np.median(_noise_at_faces(image)[at_faces]))
    level = float(np.median(smooth[at_faces])) - darkest
    step.findings["air_noise"] = round(air / spread, 3)
    if air < LEAST_NOISE * spread or level < LEAST_LEVEL * spread:
        return image
    noise = _noise(image.data, image.spacing_mm)
    tissue = smooth[noise < QUIET * air]
    low, high = (float(value) for value in np.percentile(tissue if tissue.size else smooth, (1, 99)))
    step.warn(
        "The air around the head is noise as bright as tissue, as in an MP2RAGE UNI image: it was darkened "
        "to find the brain."
    )
    share = np.clip((noise / air - NOISE_BEGINS) / (NOISE_ENDS - NOISE_BEGINS), 0, 1)
    dark = np.float32(low - BELOW * (high - low))
    return image.like(image.data + share * (dark - image.data))


def _noise(data: Array, spacing_mm: Spacing) -> Array:
    """Local sd of noise, from the differences of neighbours: (I, J, K) in the scan's unit."""
    squared = np.zeros(data.shape, dtype=np.float32)
    for axis in range(3):
        if data.shape[axis] > 1:
            step = np.diff(data, axis=axis, append=data.take([-1], axis))
            squared += step * step
    return np.asarray(np.sqrt(np.maximum(_smooth(squared, spacing_mm), 0) / 6))


def _noise_at_faces(image: Volume) -> Array:
    """Do what `_noise` does, in the six outer planes alone: most scans need no more. Elsewhere 0."""
    noise = np.zeros(image.shape, dtype=np.float32)
    for axis, length in enumerate(image.spacing_mm):
        reach = int(TRUNCATE * WIDTH_MM / length + 0.5) + 2  # of the smoothing, and the next voxel
        for end, slab in ((0, slice(reach)), (-1, slice(-reach, None))):
            plane = _along(axis, end)
            noise[plane] = _noise(image.data[_along(axis, slab)], image.spacing_mm)[plane]
    return noise


def _along(axis: int, part: int | slice) -> tuple[int | slice, ...]:
    """Index a part of one axis."""
    return tuple(part if n == axis else slice(None) for n in range(3))


def _smooth(values: Array, spacing_mm: Spacing) -> Array:
    sigma = [WIDTH_MM / length for length in spacing_mm]
    return np.asarray(ndimage.gaussian_filter(values, sigma, truncate=TRUNCATE))


def _faces(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Mark the six outer planes."""
    at_faces = np.ones(shape, dtype=bool)
    at_faces[tuple(slice(1, -1) for _ in shape)] = False
    return at_faces
