"""Is the template where it belongs? By what the intensities say of it, there and elsewhere."""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.coarse_search import rotation
from medunsup.tissue.base import Array
from medunsup.tissue.quality.sample import Atlas, Sample

N_BINS = 24
MOST_VOXELS = 20_000
SHIFTS_MM = (-24.0, -12.0, 12.0, 24.0)
TURNS_DEG = (-40.0, -20.0, 20.0, 40.0)

Points = NDArray[np.float32]


def agreement(sample: Sample, atlas: Atlas) -> dict[str, float]:
    """How much the registered template tells of the intensities, and how much more it would tell elsewhere.

    The first is mutual information in nats between expected tissue (GM, WM or neither) and intensity within
    the mask. The second is what the best of 27 other registrations (shifts, turns, upside down, mirrored)
    gains on it in percent: negative where the template fits, whatever the contrast. Sizes are not
    tried: under ghosts a wrong one may win.
    """
    thinned = slice(None, None, max(1, sample.values.shape[1] // MOST_VOXELS))
    points = atlas.position_mm[:, sample.mask][:, thinned]
    level = _levels(sample.values[0][thinned])
    center = load_template().center_mm.astype(np.float32)[:, None]
    here = _information(points, level)
    moved = (change @ (points - center) + center + shift for change, shift in _moves())
    elsewhere = max(_information(other, level) for other in moved)
    return {
        "atlas_agreement_nats": here,
        "atlas_better_elsewhere_percent": 100 * (elsewhere - here) / max(here, 1e-3),
    }


def _moves() -> Iterator[tuple[Points, Points]]:
    """Other registrations, as a matrix about the template's centre and a shift in mm."""
    same, none = np.eye(3, dtype=np.float32), np.zeros((3, 1), dtype=np.float32)
    for axis in range(3):
        for shift in SHIFTS_MM:
            yield same, np.float32(shift) * same[:, axis : axis + 1]
        for turn in TURNS_DEG:
            angles = [turn if n == axis else 0.0 for n in range(3)]
            yield rotation(angles[0], angles[1], angles[2]).astype(np.float32), none
    for axes in ((2,), (1,), (1, 2)):
        mirrored = same.copy()
        mirrored[axes, axes] = -1
        yield mirrored, none


def _levels(values: Array) -> NDArray[np.intp]:
    low, high = np.percentile(values, (0.5, 99.5))
    scaled = (values - low) / max(float(high - low), 1e-6) * N_BINS
    return np.clip(scaled, 0, N_BINS - 1).astype(np.intp)


def _information(points: Points, level: NDArray[np.intp]) -> float:
    """Mutual information in nats of the template's class at `points` (3, N) mm and the intensity level."""
    classes, to_index = _template_classes()
    index = np.rint(to_index[:3, :3] @ points + to_index[:3, 3:]).astype(np.intp)
    limits = np.array(classes.shape)[:, None]
    is_inside = ((index >= 0) & (index < limits)).all(axis=0)
    i, j, k = np.where(is_inside, index, 0)
    expected = np.where(is_inside, classes[i, j, k], 0)
    joint = np.bincount(expected * N_BINS + level, minlength=3 * N_BINS).reshape(3, N_BINS) / level.size
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    used = joint > 0
    return float((joint[used] * np.log(joint[used] / independent[used])).sum())


@lru_cache(maxsize=1)
def _template_classes() -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Most likely class of the template, every 2 mm: 0 neither, 1 GM, 2 WM; and world mm to its index."""
    template = load_template()
    gm, wm = template.gm.data[::2, ::2, ::2], template.wm.data[::2, ::2, ::2]
    classes = np.argmax(np.stack([1 - gm - wm, gm, wm]), axis=0)
    to_world = template.gm.affine @ np.diag([2.0, 2.0, 2.0, 1.0])
    return classes, np.linalg.inv(to_world).astype(np.float32)
