"""How well does one image lie on another? Mutual information of coarse blocks, kept under the skin."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.geometry import Affine
from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.head import Head
from medunsup.preprocess.geometry.morphology import dilate
from medunsup.preprocess.geometry.resample import shrink

N_BINS = 24
SKIN_AND_BONE_MM = 6.0
MIN_COVERAGE = 0.4


@dataclass(frozen=True)
class Sampling:
    """Size of the fixed image's blocks, how far the metric reaches beyond its brain, the scan's smoothing."""

    block_mm: float
    margin_mm: float
    smoothing_mm: float


class RegistrationScore:
    """Mutual information of a fixed image's blocks and a scan, less the share of brain in skin or air.

    `fixed` has intensities from 0 on, with its `brain` mask: the template's or another scan's. Call it with
    an affine (4, 4) from its world to scan world mm. Larger is better; 0 where too little of the brain is in
    the field of view. One call costs about 0.5 ms at 7 mm. Without a `head` (a stripped scan) nothing is held
    against brain at the surface.
    """

    def __init__(
        self, fixed: Volume, brain: Volume, scan: Volume, head: Head | None, sampling: Sampling
    ) -> None:
        blocks = shrink(fixed, sampling.block_mm)
        cover = shrink(brain, sampling.block_mm).data
        used = dilate(cover > 0, sampling.margin_mm, blocks.spacing_mm)
        points = np.argwhere(used) @ blocks.affine[:3, :3].T + blocks.affine[:3, 3]
        self.points_mm = np.vstack([points.T, np.ones(len(points))])
        self.in_brain = cover[used] > 0.5
        levels = blocks.data[used] / blocks.data.max() * N_BINS
        self.fixed_bin = np.minimum(levels.astype(np.intp), N_BINS - 1)
        self.scan_level = _levels(scan, sampling.smoothing_mm)
        self.depth_mm = None if head is None else head.depth_mm
        self.to_index = np.linalg.inv(scan.affine)

    def __call__(self, template_to_scan: Affine) -> float:
        """Score one registration."""
        index = (self.to_index @ template_to_scan @ self.points_mm)[:3]
        level = self._levels_at(index)
        coverage = float((level >= 0).mean())
        if coverage < MIN_COVERAGE:
            return 0.0
        shared = _mutual_information(joint_histogram(self.fixed_bin, level))
        return shared * coverage - self._outside(index)

    def levels_at(self, template_to_scan: Affine) -> NDArray[np.float32]:
        """Return the scan's level (N,) at each of the fixed image's points, -1 outside its field of view."""
        return self._levels_at((self.to_index @ template_to_scan @ self.points_mm)[:3])

    def outside_head(self, template_to_scan: Affine) -> float:
        """Share of the brain that would lie less than 6 mm below the skin, 0 to 1, deeper counting less."""
        return self._outside((self.to_index @ template_to_scan @ self.points_mm)[:3])

    def _levels_at(self, index: NDArray[np.float64]) -> NDArray[np.float32]:
        return ndimage.map_coordinates(self.scan_level, index, order=1, cval=-1, mode="constant")

    def _outside(self, index: NDArray[np.float64]) -> float:
        if self.depth_mm is None:
            return 0.0
        depth = ndimage.map_coordinates(self.depth_mm, index[:, self.in_brain], order=1, mode="nearest")
        return float(np.clip(1 - depth / SKIN_AND_BONE_MM, 0, 1).mean())


def _levels(scan: Volume, smoothing_mm: float) -> NDArray[np.float32]:
    """Smoothed intensities scaled to histogram levels from 0 to N_BINS."""
    smooth = ndimage.gaussian_filter(scan.data, [smoothing_mm / length for length in scan.spacing_mm])
    low, high = np.percentile(smooth, (0.5, 99.5))
    span = float(high - low) or float(np.ptp(smooth)) or 1.0
    return np.asarray(np.clip((smooth - low) / span, 0, 1) * (N_BINS - 1e-3), dtype=np.float32)


def joint_histogram(fixed_bin: NDArray[np.intp], level: NDArray[np.float32]) -> NDArray[np.float64]:
    """Shares (N_BINS, N_BINS) of fixed and scan intensities; the scan's are shared between two bins.

    Levels below 0 do not count.
    """
    seen = level >= 0
    position = np.clip(level[seen] - 0.5, 0, N_BINS - 1.001)
    lower = position.astype(np.intp)
    upper_share = position - lower
    cell = fixed_bin[seen] * N_BINS + lower
    joint = np.bincount(cell, 1 - upper_share, N_BINS**2)
    joint += np.bincount(cell + 1, upper_share, N_BINS**2)
    return np.asarray((joint / max(joint.sum(), 1)).reshape(N_BINS, N_BINS))


def _mutual_information(joint: NDArray[np.float64]) -> float:
    """Mutual information in nats of a joint distribution."""
    return _entropy(joint.sum(axis=0)) + _entropy(joint.sum(axis=1)) - _entropy(joint.ravel())


def _entropy(probability: NDArray[np.float64]) -> float:
    used = probability[probability > 0]
    return float(-(used * np.log(used)).sum())
