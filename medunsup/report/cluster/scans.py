"""Pictures of scans and of mean images of clusters, small enough for many on a page."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from medunsup.core.geometry import Affine
from medunsup.core.volume import Volume
from medunsup.report.base.images import address
from medunsup.report.base.slices import positions
from medunsup.report.base.thumbnail import in_grey, in_two_colours, planes_shown, reach_of, side_by_side
from medunsup.report.base.tiles import Cutter


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
    reach = reach_of([one.difference for one in images])
    return tuple(
        MeanPicture(
            one.label,
            one.n,
            in_grey(one.mean, one.affine, one.inside),
            in_two_colours(one.difference, one.affine, one.inside, reach),
            reach,
        )
        for one in images
    )
