"""A user's own arrays on the scale that models expect, about [0, 1], and what of them is missing."""

from dataclasses import dataclass, replace
from typing import Self
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.core.errors import ArrayError
from medunsup.training.scan_stack import Mask, Scans

LOW, HIGH = 0.5, 99.5  # percentiles
USUAL_LOW, USUAL_HIGH = (-0.5, 0.75), (0.5, 2.0)  # where the two lie in arrays that need no scaling
USUAL_BRIGHT = 0.8  # where the high one comes to lie, as in scans scaled to [0, 1]
MOST_VOXELS = 200_000  # voxels of an array that percentiles are taken of
OTHER_UNITS = 20.0
MISSING = 0.1  # share of what all healthy arrays hold
LARGE_OFFSET = 0.8  # of the high percentile: below it 0 keeps its meaning of no signal


@dataclass(frozen=True)
class ArrayScale:
    """What healthy arrays tell of units and of where signal is.

    `lines` (C, 2), of rows (C, D, 2): the intensities of each channel, of rows of each column, that become 0
    and 1. `reach` (C,): the usual high percentile above the first; None where units are not compared. `core`
    (I, J, K): voxels that all healthy arrays hold, and their neighbours.
    """

    lines: NDArray[np.float64]
    reach: NDArray[np.float64] | None
    core: Mask

    @classmethod
    def of(cls, scans: Scans, *, as_is: bool) -> Self:
        """Learn from healthy arrays; with `as_is`, or if they lie in about [0, 1] already, values stay.

        Columns of rows may be features, each in a unit of its own: they are scaled one by one, wherever they
        lie, and nothing is compared from column to column. Raises ArrayError for an image that is blank, or,
        without `as_is`, in other units than the rest.
        """
        ends = _ends_of_all(scans)
        middle = np.median(ends, axis=0)
        lines = _lines_of_columns(scans) if scans.are_rows else np.array([_line(*pair) for pair in middle])
        if as_is:
            lines = np.broadcast_to((0.0, 1.0), lines.shape)
        reach = None if as_is or scans.are_rows else middle[:, 1] - lines[:, 0]
        held = scans.masks.all(axis=0)
        core = ndimage.binary_erosion(held, np.ones([min(3, side) for side in held.shape]), border_value=1)
        found = cls(lines, reach, core)
        found._refuse_other_units(ends)
        return found

    def apply(self, scans: Scans, *, has_own_masks: bool) -> Scans:
        """Bring arrays onto the scale, 0 outside their masks.

        Where arrays have no masks of their own, a 0 where all healthy arrays have signal is missing signal,
        not background: it stays in the mask, as intensity 0. Raises ArrayError for an array that is blank, in
        other units, or misses more than a tenth; in rows a 0 is a number like others.
        """
        self._refuse_other_units(_ends_of_all(scans))
        if not has_own_masks:
            self._refuse_missing(scans.masks)
        low, high = np.moveaxis(self.lines, -1, 0).reshape(2, 1, len(self.lines), -1, 1, 1)
        inside = scans.masks[:, None]
        values = np.where(inside, (scans.values - low) / (high - low), 0).astype(np.float32)
        masks = scans.masks if has_own_masks else scans.masks | self.core
        return replace(scans, values=values, masks=masks)

    def missing(self, masks: Mask) -> NDArray[np.float64]:
        """Return the share of the core that each mask (N, I, J, K) leaves out."""
        return (self.core & ~masks).sum(axis=(1, 2, 3)) / max(int(self.core.sum()), 1)

    def _refuse_missing(self, masks: Mask) -> None:
        for n, share in enumerate(self.missing(masks)):
            if share > MISSING:
                raise ArrayError(
                    f"Array {n} misses {share:.0%} of what all healthy arrays hold: it is 0 there. Leave it "
                    "out, or give masks, to judge the rest alone."
                )

    def _refuse_other_units(self, ends: NDArray[np.float64]) -> None:
        if self.reach is None:
            return
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (ends[..., 1] - self.lines[:, 0]) / self.reach
        is_other = ~((ratio > 1 / OTHER_UNITS) & (ratio < OTHER_UNITS)) & (self.reach > 0)
        for n, channel in np.argwhere(is_other)[:1]:
            raise ArrayError(
                f"Array {n}: its highest intensities are {ratio[n, channel]:.3g} times those of the healthy "
                "arrays. Give all arrays in the same units."
            )


def _lines_of_columns(scans: Scans) -> NDArray[np.float64]:
    """Choose for each column of rows the numbers (C, D, 2) that become 0 and 1; a constant one stays."""
    inside = np.where(scans.masks[:, None], scans.values, np.nan)[..., 0, 0]
    with catch_warnings():
        simplefilter("ignore", RuntimeWarning)  # of a column that no row's mask holds: NaN
        low, high = np.nanpercentile(inside, (LOW, HIGH), axis=0)
    varies = high > low
    one = low + (high - low) / USUAL_BRIGHT
    return np.stack([np.where(varies, low, 0), np.where(varies, one, 1)], axis=-1)


def _ends_of_all(scans: Scans) -> NDArray[np.float64]:
    """Low and high percentile (N, C, 2) of each array in its mask. Raises ArrayError for a blank one."""
    return np.array([_ends(scans, n) for n in range(len(scans))])


def _ends(scans: Scans, n: int) -> NDArray[np.float64]:
    """Low and high percentile (C, 2) of an array in its mask. Raises ArrayError for a blank one."""
    inside = scans.values[n][:, scans.masks[n]]
    if not inside.size or (not scans.are_rows and (inside == inside[:, :1]).all()):
        what = "all its values are equal" if inside.size else "it is 0 everywhere, or its mask is empty"
        raise ArrayError(f"Array {n} is blank: {what}. Leave it out; nothing in it can be judged.")
    every = -(-inside.shape[1] // MOST_VOXELS)
    return np.percentile(inside[:, ::every], (LOW, HIGH), axis=1).T


def _line(low: float, high: float) -> tuple[float, float]:
    """Choose the intensities that become 0 and 1."""
    is_usual = USUAL_LOW[0] <= low <= USUAL_LOW[1] and USUAL_HIGH[0] <= high <= USUAL_HIGH[1]
    if is_usual or high <= low:
        return 0.0, 1.0
    zero = 0.0 if 0 <= low <= LARGE_OFFSET * high else low
    return zero, zero + (high - zero) / USUAL_BRIGHT
