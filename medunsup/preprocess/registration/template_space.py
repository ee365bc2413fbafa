"""Whether a brain lies on the MNI152 template already, as after normalisation by another tool."""

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from medunsup.core.geometry import Affine
from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.morphology import dice, fill_holes
from medunsup.preprocess.geometry.resample import resampled, shrink
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.affine import Registration
from medunsup.preprocess.registration.similarity import RegistrationScore, Sampling

LEAST_DICE = 0.85
LEAST_SCORE = 0.2
SAMPLING = Sampling(block_mm=5.5, margin_mm=3.0, smoothing_mm=1.5)
WORK_MM = 4.0
SHIFT_MM, TURN_DEG, SCALE = 4.0, 4.0, 1.08
BACKGROUND_SHARE = 0.9


def on_template(image: Volume, mask: NDArray[np.bool_]) -> Registration | None:
    """Return the registration that moves nothing if the brain lies on the template, else None.

    It does if the mask (I, J, K) overlaps the template's with a Dice of 0.85 or more, and no shift by 4 mm,
    turn by 4 degrees or change of size by 8 % brings a better mutual information.
    """
    if not mask.any() or dice(mask, resampled(load_template().mask, image.grid) > 0.5) < LEAST_DICE:
        return None
    low = float(image.data[mask].min())
    brain = image.like(np.where(mask, image.data - low, 0).astype(np.float32))
    template = load_template()
    score = RegistrationScore(template.t1, template.mask, shrink(brain, WORK_MM), None, SAMPLING)
    here = score(np.eye(4))
    if here < LEAST_SCORE or any(score(move) > here for move in _moves()):
        return None
    return Registration(np.eye(4), here, fits=True)


def constant_background(image: Volume) -> NDArray[np.bool_] | None:
    """Return what differs from the constant at the scan's faces, holes filled; None if there is none."""
    faces = np.concatenate([image.data.take(n, axis).ravel() for axis in range(3) for n in (0, -1)])
    level = np.median(faces)
    if (faces == level).mean() < BACKGROUND_SHARE:
        return None
    return fill_holes(image.data != level)


def _moves() -> list[Affine]:
    """Small shifts, turns and changes of size about the template's centre."""
    center = load_template().center_mm
    moves = []
    for axis, sign in product(range(3), (-1, 1)):
        shift, turn = np.eye(4), np.eye(4)
        shift[axis, 3] = sign * SHIFT_MM
        angle = sign * TURN_DEG * np.eye(3)[axis]
        turn[:3, :3] = Rotation.from_euler("xyz", angle, degrees=True).as_matrix()
        moves += [shift, turn]
    for factor in (SCALE, 1 / SCALE):
        moves.append(np.diag([factor] * 3 + [1.0]))
    for move in moves:
        move[:3, 3] += center - move[:3, :3] @ center
    return moves
