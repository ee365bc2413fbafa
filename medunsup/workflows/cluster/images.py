"""Images of clusters, where prepared scans are at hand: means, differences to the rest, scans of rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.clusters.folder import IMAGES
from medunsup.cohort.clusters.result import ClusterResult
from medunsup.cohort.feature_table.prepared import prepared_scans
from medunsup.cohort.prepare import Prepared, kept
from medunsup.core.errors import MedunsupError
from medunsup.core.volume import Volume
from medunsup.io.load import load
from medunsup.io.nifti.write import volume_bytes
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.report.cluster.scans import MeanImage, scan_picture

SHOWN = 4  # scans of each kind that a cluster's pictures are made of
ENDINGS = (".nii", ".nii.gz")
ABOUT_BRAIN = 0.1  # of the 99th percentile: what of a scan that is not prepared is drawn

Image = NDArray[np.float32]
Scans = Mapping[int, str]


def mean_images(
    labels: Sequence[int], k: int, opened: Callable[[], Iterator[tuple[int, Prepared]]], spacing_mm: float
) -> tuple[MeanImage, ...]:
    """Return the mean of each cluster's prepared scans, and how it differs from that of all other rows.

    A voxel has a mean where half of the brains reach it, elsewhere 0; images of another grid are left out.
    """
    grid = ModelSpace(spacing_mm).grid
    sums = np.zeros((k, *grid.shape), np.float64)
    counts = np.zeros((k, *grid.shape), np.int64)
    n_scans = np.zeros(k, np.int64)
    for row, scan in opened():
        label = labels[row]
        if label < 0 or scan.mask.shape != grid.shape:
            continue
        sums[label] += np.where(scan.mask, scan.values[0], 0)
        counts[label] += scan.mask
        n_scans[label] += 1
    found = []
    for label in range(k):
        if not n_scans[label]:
            continue
        mean, inside = _mean(sums[label], counts[label], int(n_scans[label]))
        rest = np.arange(k) != label
        other, there = _mean(sums[rest].sum(axis=0), counts[rest].sum(axis=0), int(n_scans[rest].sum()))
        difference = np.where(inside & there, mean - other, 0).astype(np.float32)
        found.append(MeanImage(label, int(n_scans[label]), mean, inside, difference, grid.affine))
    return tuple(found)


def as_files(images: Sequence[MeanImage]) -> dict[str, bytes]:
    """Return means and differences as NIfTI files on the template grid, by name."""
    return {
        f"{IMAGES}/cluster-{one.label}_{kind}.nii.gz": volume_bytes(Volume(voxels, one.affine))
        for one in images
        for kind, voxels in (("mean", one.mean), ("difference", one.difference))
    }


def seen(
    result: ClusterResult, attributes: Mapping[str, object], beside: Path
) -> tuple[tuple[MeanImage, ...], dict[int, str]]:
    """Return the mean images of clusters, and pictures of the scans of typical and untypical rows."""
    places = prepared_scans(result.keys, attributes, beside)

    def opened() -> Iterator[tuple[int, Prepared]]:
        for row, place in places.items():
            scan = kept(place.parent, place.stem)
            if scan is not None:
                yield row, scan

    spacing = attributes.get("spacing_mm")
    images: tuple[MeanImage, ...] = ()
    if places and isinstance(spacing, int | float) and result.k > 1:
        images = mean_images(result.labels.tolist(), result.k, opened, float(spacing))
    rows = [row for one in result.clusters for row in (*one.exemplars[:SHOWN], *one.outliers[:SHOWN])]
    pictures = {}
    for row in rows:
        drawn = _prepared_picture(places.get(row), spacing) or _native_picture(result, row, beside)
        if drawn:
            pictures[row] = drawn
    return images, pictures


def _mean(sums: NDArray[np.float64], counts: NDArray[np.int64], n: int) -> tuple[Image, NDArray[np.bool_]]:
    inside = (2 * counts >= n) & (counts > 0)
    return np.where(inside, sums / np.maximum(counts, 1), 0).astype(np.float32), inside


def _prepared_picture(place: Path | None, spacing: object) -> str:
    scan = None if place is None else kept(place.parent, place.stem)
    if scan is None or not isinstance(spacing, int | float):
        return ""
    affine = ModelSpace(float(spacing)).grid.affine
    return scan_picture(Volume(scan.values[0].astype(np.float32), affine), scan.mask)


def _native_picture(result: ClusterResult, row: int, beside: Path) -> str:
    """Draw the scan that the table names; "" where the name is of no NIfTI that can be read."""
    name = result.keys["scan"][row] if "scan" in result.keys else ""
    path = beside / name
    if not name.endswith(ENDINGS) or not path.is_file():
        return ""
    try:
        image = load(path)
    except MedunsupError:
        return ""
    mask = image.data > ABOUT_BRAIN * np.percentile(image.data, 99)
    return scan_picture(image, mask)
