"""Whole heads grown around the MNI152 brain, so that the true mask and the true registration are known."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pytest
from scipy import ndimage

from medunsup.core.geometry import Affine, Grid
from medunsup.core.volume import Volume
from medunsup.preprocess.geometry.resample import resampled, shrink
from medunsup.preprocess.geometry.template import load_template
from medunsup.preprocess.registration.coarse_search import rotation

BONE_MM, SKIN_MM, NECK_RADIUS_MM = 6.0, 13.0, 52.0
SIGNAL = {
    # GM, WM, CSF, bone, skin and neck
    "T1w": (70, 100, 30, 12, 90),
    "T2w": (80, 55, 150, 12, 70),
    "FLAIR": (90, 70, 20, 12, 75),
    "PD": (95, 75, 105, 15, 80),
}


@dataclass(frozen=True)
class KnownHead:
    """A scan, its true brain mask, and the true affine from template world to scan world."""

    scan: Volume
    brain: Volume
    template_to_scan: Affine

    def dice(self, mask: Volume) -> float:
        """Overlap of a mask with the truth."""
        return overlap(mask.data, self.brain.data)

    def stripped(self, background: float = 0.0, noise: float = 0.0) -> "KnownHead":
        """The same scan with the skull gone; `noise` is the sd of what is left outside."""
        rng = np.random.default_rng(1)
        outside = background + noise * rng.normal(size=self.scan.shape)
        data = np.where(self.brain.data, self.scan.data + background, outside).astype(np.float32)
        return replace(self, scan=self.scan.like(data))


def overlap(first, second) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


@lru_cache(maxsize=1)
def _parts() -> list[Volume]:
    """GM, WM, CSF, bone, skin with neck: maps around the template at 2 mm."""
    template = load_template()
    pad = 12
    maps = [shrink(part) for part in (template.gm, template.wm, template.csf)]
    affine = maps[0].affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ np.full(3, pad)
    gm, wm, csf = (np.pad(part.data, pad) for part in maps)
    brain = gm + wm + csf > 0.5
    distance = ndimage.distance_transform_edt(~brain, sampling=2.0)
    x, y, z = (
        np.arange(size).reshape([-1 if n == axis else 1 for n in range(3)]) * 2.0 + affine[axis, 3]
        for axis, size in enumerate(brain.shape)
    )
    neck = ((x**2 + (y + 25) ** 2) < NECK_RADIUS_MM**2) & (z < -45) & (distance > BONE_MM)
    bone = (distance > 0) & (distance <= BONE_MM)
    skin = ((distance > BONE_MM) & (distance <= SKIN_MM)) | neck
    masks = [gm, wm, csf, (bone & ~brain).astype(np.float32), (skin & ~brain).astype(np.float32)]
    return [Volume(part.astype(np.float32), affine) for part in masks]


def make_head(
    contrast: str = "T1w",
    *,
    spacing_mm=(3.5, 3.5, 3.5),
    turn_deg=(0.0, 0.0, 0.0),
    size: float = 0.9,
    noise: float = 0.03,
    grid: Grid | None = None,
) -> KnownHead:
    """Turn and shrink the head inside an upright field of view (or one's own grid), then add noise."""
    affine = np.eye(4)
    affine[:3, :3] = rotation(*turn_deg) * size * np.diag([0.97, 1.02, 1.0])
    affine[:3, 3] = (4.0, 10.0, -6.0)
    grid = grid or upright_grid(spacing_mm)
    fractions = [resampled(replace(part, affine=affine @ part.affine), grid) for part in _parts()]
    signal = sum(level * part for level, part in zip(SIGNAL[contrast], fractions, strict=True))
    rng = np.random.default_rng(0)
    sd = noise * SIGNAL[contrast][1]
    data = np.hypot(signal + rng.normal(0, sd, grid.shape), rng.normal(0, sd, grid.shape))
    brain = sum(fractions[:3]) > 0.5
    return KnownHead(
        Volume(data.astype(np.float32), grid.affine), Volume(brain, grid.affine, kind="mask"), affine
    )


def upright_grid(spacing_mm) -> Grid:
    spacing = np.array(spacing_mm)
    shape = np.ceil(np.array([200.0, 240.0, 230.0]) / spacing).astype(int)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -spacing * (shape - 1) / 2 + (0, 0, -10)
    return Grid(tuple(int(n) for n in shape), affine)


@pytest.fixture(scope="session")
def known_head() -> KnownHead:
    """One upright T1w head at 3.5 mm."""
    return make_head(spacing_mm=(3.5, 3.5, 3.5))


@pytest.fixture(scope="session")
def head_maker():
    """Build heads on demand: see `make_head`."""
    return make_head


def displacement_mm(found: Affine, true: Affine) -> float:
    """Mean distance between where two affines put the template's brain."""
    mask = shrink(load_template().mask, 8.0)
    points = np.argwhere(mask.data > 0.5) @ mask.affine[:3, :3].T + mask.affine[:3, 3]
    points = np.vstack([points.T, np.ones(len(points))])
    return float(np.linalg.norm(((found - true) @ points)[:3], axis=0).mean())


@pytest.fixture(scope="session")
def distance_between():
    """Mean displacement of two registrations: see `displacement_mm`."""
    return displacement_mm
