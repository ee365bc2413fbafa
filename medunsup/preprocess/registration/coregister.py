"""How far a second scan of the same head has moved, and whether it is the same head at all.

A rigid motion is climbed from the headers' word by mutual information within the brain. Whether it then fits
is asked of each region of the brain by itself: two scans of one head agree everywhere; those of two heads,
or of a head and its mirror image, agree on average and nowhere quite.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from medunsup.core.geometry import Affine
from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.resample import centroid_mm, shrink
from medunsup.preprocess.registration.coarse_search import about, climb, rotation
from medunsup.preprocess.registration.similarity import RegistrationScore, Sampling, joint_histogram

COARSE = Sampling(block_mm=7.0, margin_mm=4.0, smoothing_mm=2.5)
FINE = Sampling(block_mm=3.0, margin_mm=4.0, smoothing_mm=1.0)
COARSE_STEP, FINE_STEP = 5.0, 1.5  # mm and degrees alike
COARSE_CALLS, FINE_CALLS = 300, 250
ENOUGH_POINTS, ENOUGH_MM = 2000, 25.0  # less of a brain says too little: a few slices perhaps
# Pairs of one session are 0.1 to 0.7 mm apart on average and gain 1 to 6 % by it; 2 mm off, 25 % and more.
LEAST_MOTION_MM, LEAST_GAIN = 1.0, 0.1
# Share of regions that would rather lie elsewhere: 0 to 0.16 in fourteen pairs of one head, 0.6 and more in
# pairs of two. Mirror images fit 0.3 to 0.6 times as well in pairs of one head (blurred to 10 mm 0.8), 0.9 to
# 1.1 in pairs of two, and where one scan is mirrored 1.8 to 3 times (blurred, or in slices of 8 mm, 1.2).
REGION_MM, ELSEWHERE_MM, WHOLE_REGION = 30.0, 4.0, 0.3
DOUBTFUL, OTHER_HEAD = 0.25, 0.4
AS_GOOD_MIRRORED, BETTER_MIRRORED = 0.75, 1.15
# Where the headers lead nowhere: a coarse net around their word, and around the middle of the field of view.
NET_MM, NET_PITCH_DEG = (-40.0, -20.0, 0.0, 20.0, 40.0), (-20.0, 0.0, 20.0)
NET_BEST = 3
TAILS_PERCENT = (0.5, 99.5)
RARE = 1e-4  # share of voxels below which a pair of intensities says nothing
TINY = 1e-6
STILL = np.eye(4)

Point = NDArray[np.float64]


@dataclass(frozen=True)
class Alignment:
    """Where a further scan lies against the first.

    `motion_mm` (4, 4) is rigid and maps the first scan's world to the further one's: there the same place of
    the head is found. `moved_mm` is the brain's mean displacement by it, `gain` what mutual information wins
    by it (0.1: a tenth), `apart` the share of the brain's regions that would still rather lie elsewhere,
    `mirrored` how well the mirror image fits, 1 for as well; `covered` the share of the brain in view.
    """

    motion_mm: Affine
    moved_mm: float
    gain: float
    apart: float
    mirrored: float
    covered: float

    @property
    def turned_deg(self) -> float:
        """Angle of the motion."""
        return float(np.rad2deg(Rotation.from_matrix(self.motion_mm[:3, :3]).magnitude()))

    @property
    def has_moved(self) -> bool:
        """Whether the motion is more than what scans of one session measure."""
        return self.moved_mm > LEAST_MOTION_MM and self.gain > LEAST_GAIN

    @property
    def is_mirrored(self) -> bool:
        """Whether the mirror image fits clearly better."""
        return self.mirrored > BETTER_MIRRORED

    @property
    def is_another_head(self) -> bool:
        """Whether nothing says that this is the same head: regions disagree, a mirror image fits as well."""
        return self.apart > OTHER_HEAD and self.mirrored > AS_GOOD_MIRRORED

    @property
    def is_doubtful(self) -> bool:
        """Whether more regions disagree than in any good pair."""
        return self.apart > DOUBTFUL


def align(scan: Volume, mask: Volume, further: Volume) -> Alignment | None:
    """Find the rigid motion of a further scan of a head against `scan`, whose brain is `mask`.

    Any contrasts and grids will do, and the same input gives the same motion to the last digit. Returns None
    where too little of a brain is there to tell.

    References
    ----------
    Maes et al., Multimodality image registration by maximization of mutual information, IEEE TMI 16 (1997).
    """
    pair = _Pair(_scaled(scan, mask), mask, shrink(further))
    if pair.n_points < ENOUGH_POINTS or _least_extent_mm(mask) < ENOUGH_MM:
        return None
    motion, reached = _best(pair, [STILL])
    apart = _apart(pair, motion)
    if apart > DOUBTFUL:
        elsewhere, found = _best(pair, _net(pair, scan, further))
        if found > reached:
            motion, reached, apart = elsewhere, found, _apart(pair, elsewhere)
    mirror = _mirror(pair.center_mm)
    mirrored = _best(pair.seen_in(mirror), [mirror @ motion @ mirror])[1]
    return Alignment(
        motion_mm=motion,
        moved_mm=pair.displacement_mm(motion),
        gain=_ratio(reached, pair.fine(STILL)) - 1,
        apart=apart,
        mirrored=_ratio(mirrored, reached),
        covered=float((pair.fine.levels_at(motion)[pair.fine.in_brain] >= 0).mean()),
    )


class _Pair:
    """Two scans and how well they agree, coarsely and finely, if the further one has moved."""

    def __init__(self, fixed: Volume, mask: Volume, further: Volume) -> None:
        self.fixed, self.mask, self.further = fixed, mask, further
        self.coarse = RegistrationScore(fixed, mask, further, None, COARSE)
        self.fine = RegistrationScore(fixed, mask, further, None, FINE)
        self.center_mm = centroid_mm(mask)
        self.brain_mm = self.fine.points_mm[:, self.fine.in_brain]

    @property
    def n_points(self) -> int:
        return self.brain_mm.shape[1]

    def seen_in(self, mirror: Affine) -> "_Pair":
        """Return the pair with the further scan mirrored."""
        return _Pair(self.fixed, self.mask, replace(self.further, affine=mirror @ self.further.affine))

    def displacement_mm(self, motion: Affine) -> float:
        """Mean way of the brain's points."""
        return float(np.linalg.norm((motion @ self.brain_mm - self.brain_mm)[:3], axis=0).mean())


def _best(pair: _Pair, starts: Sequence[Affine]) -> tuple[Affine, float]:
    """Climb from some motions, coarse to fine; return the best motion and its mutual information."""
    found = []
    for start in starts:
        coarse = _climbed(pair.coarse, start, pair.center_mm, COARSE_STEP, COARSE_CALLS)
        begin = max((start, coarse), key=pair.fine)
        fine = _climbed(pair.fine, begin, pair.center_mm, FINE_STEP, FINE_CALLS)
        found.append((fine, pair.fine(fine)))
    return max(found, key=lambda item: item[1])


def _climbed(score: RegistrationScore, start: Affine, center_mm: Point, step: float, n_calls: int) -> Affine:
    """Shift and turn about the brain's centre as long as it helps."""

    def moved(steps: Point) -> Affine:
        shift, turn = np.split(steps * step, 2)
        return np.asarray(about(rotation(*turn), center_mm + shift, center_mm) @ start)

    return moved(climb(lambda steps: score(moved(steps)), 6, n_calls)[1])


def _net(pair: _Pair, scan: Volume, further: Volume) -> list[Affine]:
    """Return the best of many shifts and nods around the headers' word and the fields of view's middles."""
    bases = (np.zeros(3), further.grid.center_mm - scan.grid.center_mm)
    motions = [
        about(rotation(pitch, 0.0, 0.0), pair.center_mm + base + shift, pair.center_mm)
        for base, pitch, *shift in product(bases, NET_PITCH_DEG, NET_MM, NET_MM, NET_MM)
    ]
    return sorted(motions, key=pair.coarse, reverse=True)[:NET_BEST]


def _apart(pair: _Pair, motion: Affine) -> float:
    """Share of the brain's regions that a shift of some mm would explain better.

    What a pair of intensities says for the two scans belonging together is read off the whole brain.
    """
    score, inside = pair.fine, pair.fine.in_brain
    joint = joint_histogram(score.fixed_bin, score.levels_at(motion))
    by_chance = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    evidence = np.log((joint + RARE) / (by_chance + RARE))
    offset = (pair.brain_mm[:3].T - pair.center_mm) / REGION_MM
    _, region = np.unique(np.rint(offset), axis=0, return_inverse=True)
    region, n_regions = region.ravel(), int(region.max()) + 1

    def explained(motion: Affine) -> tuple[Point, Point]:
        level = score.levels_at(motion)[inside]
        cell = evidence[score.fixed_bin[inside], np.clip(level, 0, None).astype(np.intp)]
        is_seen = level >= 0
        summed, n_seen = np.zeros(n_regions), np.zeros(n_regions)
        np.add.at(summed, region[is_seen], cell[is_seen])
        np.add.at(n_seen, region[is_seen], 1)
        return summed, n_seen

    reach_mm = max(ELSEWHERE_MM, *pair.further.spacing_mm)
    moves = [motion @ _shift(sign * reach_mm, axis) for axis in range(3) for sign in (-1, 1)]
    elsewhere = np.max([explained(move)[0] for move in moves], axis=0)
    here, n_seen = explained(motion)
    is_apart = (elsewhere > here) | (here <= 0)
    # Where nothing is in view at all, everything is apart.
    return float(is_apart[n_seen >= WHOLE_REGION * n_seen.max()].mean())


def _scaled(scan: Volume, mask: Volume) -> Volume:
    """Bring the brain's intensities to [0, 1]; what lies around it is clipped to that."""
    low, high = np.percentile(scan.data[mask.data], TAILS_PERCENT)
    scaled = np.clip((scan.data - low) / max(float(high - low), TINY), 0, 1)
    return scan.like(scaled.astype(np.float32))


def _ratio(one: float, other: float) -> float:
    """Compare two values of mutual information; 1 where neither says anything."""
    return (one + TINY) / (other + TINY)


def _mirror(center_mm: Point) -> Affine:
    """Swap left and right about a point."""
    mirror = np.diag([-1.0, 1.0, 1.0, 1.0])
    mirror[0, 3] = 2 * center_mm[0]
    return mirror


def _least_extent_mm(mask: Volume) -> float:
    """Size of the brain along the axis of which least is seen."""
    planes = [mask.data.any(axis=tuple({0, 1, 2} - {axis})).sum() for axis in range(3)]
    return float(min(n * length for n, length in zip(planes, mask.spacing_mm, strict=True)))


def _shift(distance_mm: float, axis: int) -> Affine:
    shift = np.eye(4)
    shift[axis, 3] = distance_mm
    return shift
