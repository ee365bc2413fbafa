"""What scans look like along the axes of a map, where those that the table was made of are still there."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.feature_table.prepared import prepared_scans
from medunsup.cohort.feature_table.table import FeatureTable
from medunsup.cohort.maps.folder import IMAGES
from medunsup.cohort.prepare import Prepared, kept
from medunsup.core.volume import Volume
from medunsup.io.nifti.write import volume_bytes
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.report.reduce.axes import AxisImages

MOST_AXES = 3
FEWEST = 3  # scans

Floats = NDArray[np.float64]


def along_axes(places: Floats, table: FeatureTable, beside: Path) -> AxisImages | None:
    """Return the mean scan, and how voxels change along each axis; None where scans are not known."""
    spacing = table.attributes.get("spacing_mm")
    if not isinstance(spacing, int | float):
        return None
    scans = prepared_scans(table.keys, table.attributes, beside)

    def opened() -> Iterator[tuple[int, Prepared]]:
        for row, place in scans.items():
            scan = kept(place.parent, place.stem)
            if scan is not None:
                yield row, scan

    return changes(places, opened, float(spacing))


def changes(
    places: Floats, opened: Callable[[], Iterator[tuple[int, Prepared]]], spacing_mm: float
) -> AxisImages | None:
    """Regress each voxel on the places (N, q) of the scans whose brain reaches it, one axis at a time.

    The change is that of one standard deviation of all places along the axis; 0 where fewer than half of the
    brains reach. Scans of another grid are left out; None of fewer than three scans.
    """
    grid = ModelSpace(spacing_mm).grid
    spread = places.std(axis=0)
    z = ((places - places.mean(axis=0)) / np.where(spread > 0, spread, 1.0))[:, :MOST_AXES]
    q, n = z.shape[1], 0
    count, sums = np.zeros(grid.shape), np.zeros(grid.shape)
    of_z, of_zz, of_zx = (np.zeros((q, *grid.shape)) for _ in range(3))
    for row, scan in opened():
        if scan.mask.shape != grid.shape:
            continue
        n += 1
        values = np.where(scan.mask, scan.values[0], 0)
        count += scan.mask
        sums += values
        for axis, along in enumerate(z[row]):
            of_z[axis] += along * scan.mask
            of_zz[axis] += along**2 * scan.mask
            of_zx[axis] += along * values
    if n < FEWEST:
        return None
    inside = (2 * count >= n) & (count >= FEWEST)
    each = np.maximum(count, 1)
    spread_there = of_zz - of_z**2 / each
    together = of_zx - of_z * sums / each
    slopes = np.divide(together, spread_there, out=np.zeros_like(together), where=spread_there > 1e-9)
    return AxisImages(
        n,
        np.where(inside, sums / each, 0).astype(np.float32),
        inside,
        {f"pca_{axis + 1}": np.where(inside, slopes[axis], 0).astype(np.float32) for axis in range(q)},
        grid.affine,
    )


def as_files(images: AxisImages) -> dict[str, bytes]:
    """Return mean and changes as NIfTI files on the template grid, by name."""
    found = {"axis-mean": images.mean}
    found |= {f"axis-{n}_change": of for n, of in enumerate(images.changes.values(), start=1)}
    return {
        f"{IMAGES}/{name}.nii.gz": volume_bytes(Volume(voxels, images.affine))
        for name, voxels in found.items()
    }
