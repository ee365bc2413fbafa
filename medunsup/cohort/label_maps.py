"""Label maps beside scans: read, checked, and brought onto the template grid."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import EmptyImageError, GeometryError, InputError
from medunsup.core.geometry import Affine
from medunsup.core.labels import Label
from medunsup.core.volume import Volume
from medunsup.io.files.tsv import read_tsv
from medunsup.io.load import Coordinates
from medunsup.metrics.label_map import is_grey

COLOURS = (  # Okabe and Ito's, which stay apart for colour-blind readers
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
MOST_LABELS = 255

Labels = NDArray[np.int32]


def read_labels(path: Path, image: Volume, coordinates: Coordinates = "auto") -> Labels:
    """Read the label map (I, J, K) of a scan; an empty one is all 0.

    Raises GeometryError if it lies on another grid than the scan, InputError if it holds anything but whole
    numbers from 0.
    """
    from medunsup.io.load import load

    try:
        found = load(path, coordinates=coordinates)
    except EmptyImageError:
        return np.zeros(image.shape, np.int32)
    if not found.grid.is_close(image.grid):
        raise GeometryError(
            f"{path}: lies on another grid ({_size(found)}) than its scan ({_size(image)}). Bring the label "
            "map onto the grid of the scan, each voxel with its nearest label."
        )
    if is_grey(found.data) or (found.data != np.rint(found.data)).any() or found.data.min() < 0:
        raise InputError(f"{path}: is no label map. Give whole numbers from 0, one a structure.")
    return np.asarray(found.data, dtype=np.int32)


def on_template_grid(
    labels: Labels, image: Volume, template_to_scan: Affine, spacing_mm: float
) -> NDArray[np.int32]:
    """Bring a label map in native space onto the template grid; each label keeps its volume."""
    from medunsup.preprocess.geometry.label_maps import resampled_labels
    from medunsup.preprocess.geometry.template_grid import ModelSpace

    placed = np.linalg.inv(template_to_scan) @ image.affine
    return np.asarray(resampled_labels(labels, placed, ModelSpace(spacing_mm).grid), dtype=np.int32)


def label_table(values: Iterable[int], table: Path | None = None) -> tuple[Label, ...]:
    """Name labels, as a BIDS table with index and name says or by their numbers; 0 is background.

    Raises InputError if there are none, more than 255, or one above 65,535; UsageError or MissingError for a
    table that cannot be read.
    """
    wanted = sorted(set(values) - {0})
    if not wanted or len(wanted) > MOST_LABELS or wanted[-1] > np.iinfo(np.uint16).max:
        raise InputError(
            f"The label maps of the training scans hold {len(wanted)} labels"
            f"{f' up to {wanted[-1]}' if wanted else ''}. Give 1 to {MOST_LABELS} labels of at most 65535."
        )
    rows = [] if table is None else read_tsv(table).rows
    names = {row["index"]: row.get("name", "") for row in rows if row.get("index")}
    return tuple(
        Label(value, str(value), names.get(str(value)) or f"label {value}", COLOURS[n % len(COLOURS)])
        for n, value in enumerate(wanted)
    )


def _size(volume: Volume) -> str:
    return " × ".join(str(side) for side in volume.shape) + " voxels"
