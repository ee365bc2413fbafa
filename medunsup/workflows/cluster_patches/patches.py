"""The voxels of one scan in clusters: read, find the brain, measure, cluster, save."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort import reading
from medunsup.cohort.brain import find_brain
from medunsup.cohort.clusters.patches import Made, PatchClusters, VoxelCluster, cluster_labels
from medunsup.cohort.request import ScanRequest
from medunsup.cohort.settings import ReadSettings
from medunsup.core.errors import StepError
from medunsup.core.paths import user_path
from medunsup.core.record import Record, Step
from medunsup.core.volume import Volume
from medunsup.features.voxels import voxel_features
from medunsup.workflows.cluster_patches.clusters import Found, PatchSettings, check, clusters
from medunsup.workflows.cluster_patches.save import check_free, save

Progress = Callable[[str], None]


def cluster_patches(
    scan: str | Path,
    out: str | Path | None = None,
    *,
    mask: str | Path | None = None,
    encoder: str | Path | None = None,
    k: int | Literal["auto"] = 6,
    max_k: int = 8,
    method: str = "minibatch_kmeans",
    parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    force: bool = False,
    progress: Progress | None = None,
    **how: Any,
) -> PatchClusters:
    """Cluster the voxels of a scan by brightness and texture, or by what an encoder makes of them.

    Parameters
    ----------
    scan : str or Path
        The scan: a NIfTI or MGZ file, a DICOM file, or a folder of DICOM files.
    out : str or Path, optional
        Folder for the label volume, its table and the page. Without it nothing is written.
    mask : str or Path, optional
        Brain mask; without it the brain is found.
    encoder : str or Path, optional
        Folder that `pretrain` made of scans: voxels are clustered by its feature maps.
    k : int from 2 to 50 or 'auto', default 6
        Number of clusters. "auto" asks the rule of `choose_k`, whose halves and folds take whole cubes of
        20 mm; it may answer that there are none.
    max_k : int from 2 to 50, default 8
        Most clusters that "auto" tries.
    method : str, default 'minibatch_kmeans'
        One of `medunsup.methods("clustering")` that is not deep.
    parameters : dict, optional
        Parameters of the method by name.
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
        If a choice is wrong, or the encoder was pretrained on images.
    MissingError
        If scan or encoder are not there.
    InputError
        If the scan cannot be used, or is unlike those of the encoder's pretraining.
    StepError
        If the brain is not found, or holds fewer voxels than clusters.
    ResultThereError
        If `out` holds clusters of voxels and `force` is False.
    OutputError
        If `out` cannot be written.

    Examples
    --------
    >>> import medunsup
    >>> found = medunsup.cluster_patches("scan.nii.gz", "out", k=6)
    >>> len(found.clusters)
    6
    """
    settings = PatchSettings.parse(
        {"k": k, "max_k": max_k, "method": method, "parameters": dict(parameters or {}), "seed": seed},
        "cluster patches",
    )
    check(settings)
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
    if encoder is None:
        image, brain, names, rows = _measured(request, record)
    else:
        from medunsup.workflows.cluster_patches.learned import learned_features

        image, brain, names, rows = learned_features(request, user_path(encoder), progress)
    with record.step("clusters"):
        inside = brain.data.astype(bool)
        found = clusters(rows, np.argwhere(inside) * np.asarray(image.spacing_mm), settings)
    by = Made(settings.method, None if encoder is None else user_path(encoder).name, settings.seed)
    result = _described(image, brain, found, names, by)
    if folder is not None:
        save(result, folder, force=force)
    return result


def _measured(
    request: ScanRequest, record: Record
) -> tuple[Volume, Volume, tuple[str, ...], NDArray[np.float32]]:
    """Return the scan, its brain, and brightness and texture of each voxel in it."""
    with record.step("load") as step:
        image = reading.load_scan(request, step)
    with record.step("brain mask") as step:
        brain = _brain(image, request, step)
    with record.step("features"):
        return image, brain, *_features(image, brain)


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


def _described(image: Volume, brain: Volume, found: Found, names: tuple[str, ...], by: Made) -> PatchClusters:
    """Return clusters numbered from the darkest to the brightest, and their sizes."""
    inside = brain.data.astype(bool)
    values = image.data[inside].astype(np.float64)
    is_in = found.labels >= 0
    which, of, counts = np.unique(found.labels[is_in], return_inverse=True, return_counts=True)
    means = np.bincount(of, weights=values[is_in]) / counts
    order = np.argsort(means, kind="stable")
    rank = np.empty(len(which), np.uint8)
    rank[order] = np.arange(1, len(which) + 1)
    ranks = np.zeros(len(values), np.uint8)
    ranks[is_in] = rank[of]
    labels = np.zeros(image.shape, np.uint8)
    labels[inside] = ranks
    parts = tuple(
        VoxelCluster(
            label,
            int(counts[n]),
            float(counts[n] * image.voxel_volume_mm3 / 1000),
            float(counts[n] / len(values)),
            float(means[n]),
        )
        for label, n in zip(cluster_labels(len(which)), order, strict=True)
    )
    chosen = None if found.choice is None else found.choice.verdict
    return PatchClusters(
        image, brain, image.like(labels, "label"), parts, names, found.remarks, by, verdict=chosen
    )
