"""Connected components of an anomaly mask, with where they lie in words a reader can check."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.anomaly.result import Finding
from medunsup.core.geometry import Affine, Grid
from medunsup.core.labels import TISSUES
from medunsup.metrics.components import components
from medunsup.preprocess.geometry.lobes import MIDLINE_MM, lobe_at, side_of
from medunsup.preprocess.geometry.template_grid import ModelSpace
from medunsup.training.scan_stack import Array, Mask

BOTH_SHARE = 0.2  # of a component, beyond the midline on its lesser side
MOST_LISTED = 200


def findings(
    mask: Mask,
    score: Array,
    calibrated: Array,
    grid: Grid,
    template_to_scan: Affine,
    *,
    least_mm3: float,
) -> tuple[Mask, tuple[Finding, ...]]:
    """Keep the components of at least `least_mm3` and describe them, the largest first, 200 at most.

    Maps are (I, J, K) on the scan's RAS+ `grid`; `template_to_scan` maps template to scan world. Returns
    the mask of the components kept, and their list.
    """
    labels, n_components = components(mask, voxel_mm3=grid.voxel_volume_mm3, least_mm3=least_mm3)
    sizes = np.bincount(labels.ravel(), minlength=n_components + 1)[1:]
    order = np.argsort(-sizes, kind="stable")[:MOST_LISTED]
    boxes = ndimage.find_objects(labels)
    to_template = np.linalg.inv(template_to_scan) @ grid.affine
    space = ModelSpace()
    found = []
    for rank, component in enumerate(order, start=1):
        voxels = np.argwhere(labels[boxes[component]] == component + 1)
        voxels += [edge.start for edge in boxes[component]]
        at = tuple(voxels.T)
        peak = int(np.argmax(score[at]))
        template_mm = _moved(to_template, voxels)
        tissue, share = _tissue(template_mm, space)
        center_mm = template_mm.mean(axis=0)
        found.append(
            Finding(
                index=rank,
                volume_mm3=float(len(voxels) * grid.voxel_volume_mm3),
                center_mm=_triple(_moved(grid.affine, voxels).mean(axis=0)),
                peak_mm=_triple(_moved(grid.affine, voxels[peak : peak + 1])[0]),
                peak=float(score[at][peak]),
                peak_calibrated=float(calibrated[at].max()),
                mean=float(score[at].mean()),
                side=_side(template_mm[:, 0], center_mm[0]),
                place=lobe_at(_triple(center_mm)),
                tissue=tissue,
                tissue_share=share,
            )
        )
    return labels > 0, tuple(found)


def _tissue(template_mm: NDArray[np.float64], space: ModelSpace) -> tuple[str, float]:
    """Name the tissue that most of these points lie in by the template's maps, and its share of them."""
    index = _moved(np.linalg.inv(space.grid.affine).astype(float), template_mm)
    shares = [
        float(ndimage.map_coordinates(part, index.T, order=1, mode="constant").mean())
        for part in space.tissues
    ]
    best = int(np.argmax(shares))
    total = sum(shares)
    if total < 0.5:
        return "outside the template's brain", 1 - total
    return TISSUES[best].abbreviation, shares[best] / total


def _side(x_mm: NDArray[np.float64], center_mm: float) -> str:
    """Say on which side a component lies; "both" if at least a fifth of it is beyond the midline on each."""
    shares = np.mean(x_mm < -MIDLINE_MM), np.mean(x_mm > MIDLINE_MM)
    return "both" if min(shares) >= BOTH_SHARE else side_of(center_mm)


def _moved(affine: Affine, points: NDArray[np.number]) -> NDArray[np.float64]:
    return np.asarray(points @ affine[:3, :3].T + affine[:3, 3])


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in values)
    return x, y, z
