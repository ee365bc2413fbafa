"""Whether scans belong together in one training: one contrast, voxels alike, no scan twice."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from medunsup.cohort.dataset.sources import Case
from medunsup.cohort.dataset.splits import refuse_duplicates
from medunsup.cohort.prepare_many import Traits
from medunsup.core.errors import InputError
from medunsup.core.hints import option

SPACING_RATIO = 2.0
SHOWN = 3


@dataclass(frozen=True)
class Common:
    """What all scans share: their contrast, and the largest side a voxel of any has.

    `contents` are the `Prepared.content` of each.
    """

    contrast: str
    coarsest_mm: float
    contents: tuple[str, ...]


def check_alike(cases: Sequence[Case], traits: Sequence[Traits]) -> Common:
    """Return what prepared scans share, by their `traits`.

    Raises InputError naming those of another contrast or with voxels twice as coarse or fine as the others,
    and two that hold the same scan in different files.
    """
    contrasts = [one.contrast for one in traits]
    sides_mm = [one.coarsest_mm for one in traits]
    contents = [one.content for one in traits]
    refuse_duplicates(cases, contents)
    common = max(sorted(set(contrasts)), key=contrasts.count)
    odd = [case.scan.name for case, found in zip(cases, contrasts, strict=True) if found != common]
    if odd:
        raise InputError(
            f"Most scans are {common}, but not {_few(odd)}. Train on one contrast, or say which one all have "
            f"with {option('contrast')}."
        )
    _check_sides(cases, np.array(sides_mm))
    return Common(common, float(max(sides_mm)), tuple(contents))


def _check_sides(cases: Sequence[Case], sides_mm: np.ndarray) -> None:
    usual = float(np.median(sides_mm))
    is_odd = (sides_mm > SPACING_RATIO * usual) | (sides_mm < usual / SPACING_RATIO)
    if is_odd.any():
        names = [case.scan.name for case, found in zip(cases, is_odd, strict=True) if found]
        ends = (f"{end:.1f}" for end in (sides_mm[is_odd].min(), sides_mm[is_odd].max()))
        lengths = " to ".join(dict.fromkeys(ends))
        raise InputError(
            f"Most scans have voxels of up to {usual:.1f} mm, but {_few(names)} of "
            f"{lengths} mm. Train on scans alike: leave these out, or train on them alone."
        )


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
