"""The voxels of one scan in clusters: read, find the brain, measure, cluster, save."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from medunsup.clustering.methods.minibatch_kmeans import MiniBatchKMeans
from medunsup.cohort import reading
from medunsup.cohort.brain import find_brain
from medunsup.cohort.clusters.patches import PatchClusters, VoxelCluster, cluster_labels
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.settings import ReadSettings
from medunsup.core.config import Config
from medunsup.core.errors import StepError
from medunsup.core.paths import user_path
from medunsup.core.record import Record, Step
from medunsup.core.volume import Volume
from medunsup.features.voxels import voxel_features
from medunsup.workflows.cluster_patches.save import check_free, save

FITTED = 100_000  # voxels that centres are learned from, drawn by the seed; all are assigned
AT_ONCE = 200_000

Progress = Callable[[str], None]


class PatchSettings(Config):
    """Choices of clusters of voxels."""

    k: int = Field(6, ge=2, le=50, description="clusters")
    seed: int = Field(0, ge=0, description="seed of the voxels that are drawn and of k-means")


def cluster_patches(
    scan: str | Path,
    out: str | Path | None = None,
    *,
    mask: str | Path | None = None,
    k: int = 6,
    seed: int = 0,
    force: bool = False,
    progress: Progress | None = None,
    **how: Any,
) -> PatchClusters:
    """Cluster the voxels of a scan by brightness and texture.

    Parameters
    ----------
    scan : str or Path
        The scan: a NIfTI or MGZ file, a DICOM file, or a folder of DICOM files.
    out : str or Path, optional
        Folder for the label volume, its table and the page. Without it nothing is written.
    mask : str or Path, optional
        Brain mask; without it the brain is found.
    k : int from 2 to 50, default 6
        Number of clusters.
    seed : int, default 0
        Seed of all chance.
    force : bool, default False
        Replace clusters of voxels that are in `out`.
    progress : callable, optional
        Called with the name of each step.
    **how
        How the scan is read: contrast, brain, volume, series, coordinates, as `segment` takes them.

    Returns
    -------
    PatchClusters
        Labels in the scan's space, from the darkest cluster (1) to the brightest, and their sizes.

    Raises
    ------
    UsageError
        If a choice is wrong.
    InputError
        If the scan cannot be used.
    StepError
        If the brain is not found, or holds fewer voxels than clusters.
    ResultThereError
        If `out` holds clusters of voxels and `force` is False.
    OutputError
        If `out` cannot be written.

    Examples
    --------
    >>> from medunsup.workflows.cluster_patches.patches import cluster_patches
    >>> found = cluster_patches("scan.nii.gz", "out", k=6)
    """
    settings = PatchSettings.parse({"k": k, "seed": seed}, "cluster patches")
    request = ScanRequest(
        user_path(scan),
        ReadSettings.parse(
            {name: one for name, one in how.items() if one is not None}, where="cluster patches"
        ),
        None if mask is None else user_path(mask),
    )
    folder = None if out is None else user_path(out)
    if folder is not None:
        check_free(folder, [one for one in (request.path, request.mask) if one], force=force)
    record = Record(progress=progress)
    with record.step("load") as step:
        image = reading.load_scan(request, step)
    with record.step("brain mask") as step:
        brain = _brain(image, request, step)
    with record.step("features"):
        names, rows = _features(image, brain)
    with record.step("clusters"):
        classes, remarks = _clusters(rows, settings)
    result = _described(image, brain, classes, names, remarks, settings.seed)
    if folder is not None:
        save(result, folder, force=force)
    return result


def _brain(image: Volume, request: ScanRequest, step: Step) -> Volume:
    """Return the mask that was given, as it is, or find the brain."""
    if request.mask is None:
        return find_brain(image, request, step).mask
    return reading.load_mask(request.mask, image, step, request.reading.coordinates)


def _features(image: Volume, brain: Volume) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    inside = brain.data.astype(bool)
    if not inside.any():
        raise StepError("The brain mask is empty: there are no voxels to cluster. Give another mask.")
    if not np.isfinite(image.data[inside]).all():
        raise StepError("Intensities in the mask are not all finite. Repair the scan, or give another mask.")
    return voxel_features(image.data, inside, image.spacing_mm)


def _clusters(
    rows: NDArray[np.float32], settings: PatchSettings
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return the cluster of each row, and what should be known."""
    if len(rows) < settings.k:
        raise StepError(f"{len(rows)} voxels are too few for {settings.k} clusters. Ask for fewer.")
    drawn = rows
    if len(rows) > FITTED:
        chosen = np.random.default_rng(settings.seed).choice(len(rows), FITTED, replace=False)
        drawn = rows[np.sort(chosen)]
    model = MiniBatchKMeans(n_clusters=settings.k, n_init=3, seed=settings.seed)
    model.fit(drawn.astype(np.float64))
    parts = [
        model.predict(rows[begin : begin + AT_ONCE].astype(np.float64))
        for begin in range(0, len(rows), AT_ONCE)
    ]
    return np.concatenate(parts), tuple(model.remarks_)


def _described(
    image: Volume,
    brain: Volume,
    classes: NDArray[np.int64],
    names: tuple[str, ...],
    remarks: tuple[str, ...],
    seed: int,
) -> PatchClusters:
    """Return clusters numbered from the darkest to the brightest, and their sizes."""
    inside = brain.data.astype(bool)
    values = image.data[inside].astype(np.float64)
    found, of, counts = np.unique(classes, return_inverse=True, return_counts=True)
    means = np.bincount(of, weights=values) / counts
    order = np.argsort(means, kind="stable")
    rank = np.empty(len(found), np.uint8)
    rank[order] = np.arange(1, len(found) + 1)
    labels = np.zeros(image.shape, np.uint8)
    labels[inside] = rank[of]
    clusters = tuple(
        VoxelCluster(
            label,
            int(counts[n]),
            float(counts[n] * image.voxel_volume_mm3 / 1000),
            float(counts[n] / len(values)),
            float(means[n]),
        )
        for label, n in zip(cluster_labels(len(found)), order, strict=True)
    )
    return PatchClusters(image, brain, image.like(labels, "label"), clusters, names, remarks, seed)
