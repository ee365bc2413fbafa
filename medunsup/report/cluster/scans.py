"""Pictures of scans and of mean images of clusters, small enough for many on a page."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.core.geometry import Affine
from medunsup.core.volume import Volume
from medunsup.report.base.images import address
from medunsup.report.base.slices import PLANES, Plane, cut, positions
from medunsup.report.base.thumbnail import planes_shown, side_by_side
from medunsup.report.base.tiles import Cutter

MORE, LESS = (230, 159, 0), (86, 180, 233)  # orange and blue of Okabe & Ito
FULL_AT = 99.5  # percentile of the differences at which colours are full


@dataclass(frozen=True, eq=False)
class MeanImage:
    """Mean of a cluster's scans on the template grid.

    `mean` and `difference` (to the mean of all other rows) are (I, J, K) float32, `inside` says where there
    is a mean, `n` how many scans it is of.
    """

    label: int
    n: int
    mean: NDArray[np.float32]
    inside: NDArray[np.bool_]
    difference: NDArray[np.float32]
    affine: Affine


@dataclass(frozen=True)
class MeanPicture:
    """Pictures of a mean and of its difference as data addresses; `reach` is where colours are full."""

    label: int
    n: int
    mean: str
    difference: str
    reach: float


def scan_picture(image: Volume, mask: NDArray[np.bool_]) -> str:
    """Return middle slices of a scan, cropped to `mask` (I, J, K), as a data address."""
    cutter = Cutter(image, mask)
    shown = {plane: cutter.grey(plane, positions(cutter.mask, plane, 1)[0]) for plane in planes_shown(cutter)}
    grey = {plane: one[..., None].repeat(3, axis=2) for plane, one in shown.items()}
    return address(side_by_side(cutter, grey), "jpeg")


def mean_pictures(images: tuple[MeanImage, ...]) -> tuple[MeanPicture, ...]:
    """Draw means and differences, all differences on one scale."""
    if not images:
        return ()
    sizes = [np.abs(one.difference[one.difference != 0]) for one in images]
    every = np.concatenate(sizes)
    reach = float(np.percentile(every, FULL_AT)) if every.size else 1.0
    return tuple(_pictures(one, reach) for one in images)


def _pictures(one: MeanImage, reach: float) -> MeanPicture:
    cutter = Cutter(Volume(one.mean, one.affine), one.inside)
    difference = cutter.box.crop(one.difference)
    grey, coloured = {}, {}
    for plane in PLANES:
        at = positions(cutter.mask, plane, 1)[0]
        grey[plane] = cutter.grey(plane, at)[..., None].repeat(3, axis=2)
        coloured[plane] = _diverging(difference, plane, at, reach)
    return MeanPicture(
        one.label,
        one.n,
        address(side_by_side(cutter, grey), "jpeg"),
        address(side_by_side(cutter, coloured), "jpeg"),
        reach,
    )


def _diverging(difference: NDArray[np.float32], plane: Plane, at: int, reach: float) -> NDArray[np.uint8]:
    share = np.clip(cut(difference, plane, at) / reach, -1, 1)[..., None]
    colours = np.where(share > 0, np.array(MORE), np.array(LESS))
    return (np.abs(share) * colours).round().astype(np.uint8)
