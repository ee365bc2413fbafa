"""Where might the brain lie? A coarse search over turns, shifts and sizes, then stretches.

A score that costs half a millisecond can be asked from hundreds of starts. Mutual information alone falls
into a trap: a template without skull fits the whole head inside the scalp nearly as well. Two things keep
it out: the metric stays within a few mm of the brain, and the brain must lie under the skin.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import optimize
from scipy.spatial.transform import Rotation

from medunsup.core.geometry import Affine
from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.head import Head, find_head
from medunsup.preprocess.geometry.resample import shrink
from medunsup.preprocess.geometry.template import Template
from medunsup.preprocess.registration.similarity import RegistrationScore, Sampling

SCAN_SPACING_MM = 3.0
COARSE = Sampling(block_mm=7.0, margin_mm=4.0, smoothing_mm=2.5)
FINER = Sampling(block_mm=5.5, margin_mm=3.0, smoothing_mm=1.5)
PITCH_DEG = (-40.0, -20.0, 0.0, 20.0, 40.0)
ROLL_DEG = (-24.0, 0.0, 24.0)
UP_MM = (-15.0, 5.0)
FORWARD_MM = (-12.0, 12.0)
LOG_SIZE = (-0.15, 0.0)
STEP = np.array([5.0, 5.0, 5.0, 6.0, 6.0, 6.0, 0.05])
APART = np.array([10.0, 10.0, 10.0, 15.0, 15.0, 15.0, 0.1])
MAX_DESCENTS = 6
SAME_SCORE = 0.004
STRETCH_STEP = np.array([3.0] * 3 + [0.04] * 9)
STIFFNESS = 8.0

Pose = NDArray[np.float64]


@dataclass(frozen=True)
class Start:
    """One coarse registration.

    `template_to_scan` maps template world to scan world; `outside_head` is how much of the template's brain
    would lie in the skin or the air (0 is good). `scan` and `head` are the coarse copy it was found on.
    """

    template_to_scan: Affine
    score: float
    outside_head: float
    scan: Volume
    head: Head | None


def find_start(template: Template, image: Volume, *, stripped: bool) -> Start:
    """Search turns of ±40° and sizes of ±20 %; return the best similarity transform.

    `image` is the scan, or the brain alone with zeros around it if `stripped`.
    """
    scan = shrink(image, SCAN_SPACING_MM)
    head = find_head(scan, stripped=stripped)
    skin = None if stripped else head
    score = RegistrationScore(template.t1, template.mask, scan, skin, COARSE)

    def ask(pose: Pose) -> float:
        return score(similarity(pose, template.center_mm))

    best: tuple[float, Pose] = (-np.inf, np.zeros(7))
    for pose in _distinct(sorted(_grid(scan, head), key=ask, reverse=True)):
        value, steps = climb(lambda step, pose=pose: ask(pose + step * STEP), 7, 250)  # type: ignore[misc]
        found = pose + steps * STEP
        agrees = abs(value - best[0]) < SAME_SCORE and bool(np.all(np.abs(found - best[1]) < APART))
        best = max(best, (value, found), key=lambda item: item[0])
        if agrees:
            break
    affine = similarity(best[1], template.center_mm)
    return Start(affine, best[0], score.outside_head(affine), scan, skin)


def stretch(template: Template, start: Start) -> Start:
    """Let the template stretch and shear on the whole head, stiffly and under the skin; 12 parameters."""
    score = RegistrationScore(template.t1, template.mask, start.scan, start.head, FINER)
    center = start.template_to_scan[:3, :3] @ template.center_mm + start.template_to_scan[:3, 3]

    def stretched(steps: NDArray[np.float64]) -> Affine:
        shift, change = np.split(steps * STRETCH_STEP, [3])
        matrix = start.template_to_scan[:3, :3] @ (np.eye(3) + change.reshape(3, 3))
        return about(matrix, center + shift, template.center_mm)

    def ask(steps: NDArray[np.float64]) -> float:
        change = (steps * STRETCH_STEP)[3:].reshape(3, 3)
        strain = (change + change.T) / 2
        return score(stretched(steps)) - STIFFNESS * float((strain**2).sum())

    value, steps = climb(ask, 12, 900)
    affine = stretched(steps)
    return replace(start, template_to_scan=affine, score=value, outside_head=score.outside_head(affine))


def similarity(pose: Pose, center_mm: NDArray[np.float64]) -> Affine:
    """Turn a pose into an affine, template world to scan world.

    A pose is (x, y, z of the brain's centre in scan world mm, pitch, roll, yaw in degrees, log size).
    """
    return about(rotation(pose[3], pose[4], pose[5]) * np.exp(pose[6]), pose[:3], center_mm)


def rotation(pitch_deg: float, roll_deg: float, yaw_deg: float) -> NDArray[np.float64]:
    """Turn about the left-right, then the anterior-posterior, then the vertical axis; (3, 3)."""
    return np.asarray(Rotation.from_euler("xyz", (pitch_deg, roll_deg, yaw_deg), degrees=True).as_matrix())


def about(matrix: NDArray[np.float64], center: NDArray[np.float64], was: NDArray[np.float64]) -> Affine:
    """Build the affine with this matrix that moves `was` to `center`."""
    affine = np.eye(4)
    affine[:3, :3] = matrix
    affine[:3, 3] = center - matrix @ was
    return affine


def _grid(scan: Volume, head: Head) -> list[Pose]:
    axes = scan.affine[:3, :3] / np.linalg.norm(scan.affine[:3, :3], axis=0)
    forward, up = axes[:, 1], axes[:, 2]
    return [
        np.array([*(head.center_mm + up * dz + forward * dy), pitch, roll, 0.0, size])
        for pitch, roll, dz, dy, size in product(PITCH_DEG, ROLL_DEG, UP_MM, FORWARD_MM, LOG_SIZE)
    ]


def _distinct(poses: list[Pose]) -> list[Pose]:
    """Keep the first few poses that differ from each other."""
    kept: list[Pose] = []
    for pose in poses:
        if all(np.abs((pose - other) / APART).max() >= 1 for other in kept):
            kept.append(pose)
    return kept[:MAX_DESCENTS]


def climb(score: Callable[[Pose], float], n_steps: int, n_calls: int) -> tuple[float, Pose]:
    """Climb from zero to the nearest local best (Powell 1964)."""
    options = {"maxfev": n_calls, "xtol": 0.05, "ftol": 1e-3 if n_steps < 12 else 1e-4}
    found = optimize.minimize(
        lambda steps: -score(steps), np.zeros(n_steps), method="Powell", options=options
    )
    return -float(found.fun), np.asarray(found.x)
