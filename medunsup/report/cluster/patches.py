"""The page of clusters of voxels: labels over the scan, sizes, what may not be read from them."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.clusters.patches import PatchClusters
from medunsup.core.labels import Label
from medunsup.core.version import __version__
from medunsup.report.base.images import grey_picture, label_png
from medunsup.report.base.render import render
from medunsup.report.base.slices import Plane, cut, positions
from medunsup.report.base.text import DISCLAIMER, scan_name
from medunsup.report.base.tiles import Cutter, Tile

SLICES_A_PLANE = 6


class PatchCutter(Cutter):
    """Cuts slices out of a scan with its clusters filled in."""

    def __init__(self, result: PatchClusters) -> None:
        super().__init__(result.image, result.brain.data.astype(bool))
        self.labels: NDArray[np.uint8] = self.box.crop(result.labels.data)
        self.table: tuple[Label, ...] = tuple(one.label for one in result.clusters)

    def tile(self, plane: Plane, index: int) -> Tile:
        """Cut the scan with the clusters over it."""
        plain = self.plain_tile(plane, index, grey_picture(self.grey(plane, index)))
        return replace(plain, fill=label_png(cut(self.labels, plane, index), self.table))


def page(result: PatchClusters) -> str:
    """Return the page. It loads nothing from outside and needs no JavaScript."""
    cutter = PatchCutter(result)
    tiles = {
        plane.name: [cutter.tile(plane, n) for n in positions(cutter.mask, plane, SLICES_A_PLANE)]
        for plane in cutter.planes
    }
    return render(
        "cluster_patches.html.j2",
        result=result,
        name=scan_name(result.image.source),
        tiles=tiles,
        limits=result.limits,
        version=__version__,
        disclaimer=DISCLAIMER,
    )
