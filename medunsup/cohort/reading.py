"""Read the scan and what is given beside it: a brain mask, the names of further contrasts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from medunsup.cohort.inputs_filter import without_results
from medunsup.cohort.request import ScanRequest
from medunsup.core.errors import GeometryError, InputError, UsageError
from medunsup.core.geometry import Affine, Grid
from medunsup.core.record import Step
from medunsup.core.volume import Volume
from medunsup.io.bids.names import Contrast, contrast_of_word, not_magnitude
from medunsup.io.load import Coordinates
from medunsup.metrics.label_map import is_grey, label_map_values, what_it_is
from medunsup.preprocess.intensity.contrast import NamedContrast, told_contrast

MASK_VALUES = 2
Item = TypeVar("Item")
Mask = NDArray[np.bool_]


def load_scan(request: ScanRequest, step: Step) -> Volume:
    """Load the scan; what was chosen or repaired on the way goes into `step`.

    Raises UsageError for a map that medunsup made, unless it is a bias-corrected scan; InputError for what is
    no scan by its name (phase) or its values (a label map, a mask).
    """
    from medunsup.io.load import load

    path, how = request.path, request.reading
    without_results([path])
    refuse_phase(path)
    image = load(path, volume=how.volume, series=how.series, coordinates=how.coordinates)
    if kind := what_it_is(image.data):
        raise InputError(f"{path}: is {kind}, not a scan. Give the scan it was made from.")
    note_source(image, step)
    return image


def told_contrast_of(request: ScanRequest, image: Volume) -> NamedContrast | None:
    """Name the contrast that the request, the scan's header or its file's name tells, if one of them does."""
    return told_contrast(request.path.name, request.reading.contrast, image.source)


def refuse_phase(path: Path) -> None:
    """Raise InputError for an image whose name says that it is phase, real or imaginary."""
    kind = "" if path.is_dir() else not_magnitude(path.name)  # of DICOM the headers tell
    if kind:
        raise InputError(
            f"{path}: is {'an' if kind[0] == 'i' else 'a'} {kind} image by its name. Give the magnitude "
            "(part-mag in BIDS), or another name if it is one."
        )


def load_mask(path: Path, image: Volume, step: Step, coordinates: Coordinates = "auto") -> Volume:
    """Load a brain mask and bring it onto the scan's grid if it lies on another.

    Raises InputError if it is no mask, GeometryError if it does not touch the scan.
    """
    from medunsup.io.load import load

    given = load(path, coordinates=coordinates)
    region = region_of(path, given.data).astype(np.float32)
    note_source(given, step)
    on_scan = onto(given.like(region), image, step, "mask") > 0.5
    if not on_scan.any():
        raise GeometryError(f"{path}: the mask does not overlap the scan. Give the mask of this scan.")
    return image.like(on_scan, kind="mask")


def region_of(path: Path, data: NDArray[Any]) -> Mask:
    """Return what a mask, label map or map of shares (I, J, K) marks: all labels, and shares above half.

    Raises InputError for grey values, and for labels below 0, of which none is sure to mean outside.
    """
    if is_grey(data):
        raise InputError(
            f"{path}: holds grey values as a scan does, and is no mask. Give 0 and 1, labels, or shares "
            "from 0 to 1."
        )
    n_labels = label_map_values(data)
    if n_labels and data.min() < 0:
        raise InputError(
            f"{path}: holds labels below 0 ({data.min():g}), so which of them means outside is not known. "
            "Give a mask with 0 outside."
        )
    return np.asarray(data > (0 if n_labels > MASK_VALUES else _threshold(data)))


def by_contrast(given: Mapping[str, Item] | None) -> dict[str, Item]:
    """Return what is given under the contrasts' own names: T1w for t1.

    Raises UsageError for a contrast that is not known, or given twice.
    """
    known, named = get_args(Contrast), {}
    for word, item in (given or {}).items():
        name = contrast_of_word(word)
        if name not in known:
            raise UsageError(f"{word} is no contrast that is known. Choose from {', '.join(known)}.")
        if name in named:
            raise UsageError(f"{name} is given twice, as {word} as well. Give one scan a contrast.")
        named[name] = item
    return named


def note_source(volume: Volume, step: Step, prefix: str = "") -> None:
    """Put a file's name, format, hash and the loader's notes into the step; never its folder."""
    source = volume.source
    if source is None:
        return
    notes = dict(source.notes)
    for message in _as_list(notes.pop("warnings", ())):
        step.warn(str(message))
    facts = {"file": Path(source.path).name, "format": source.format, "sha256": source.sha256, **notes}
    step.findings |= {prefix + key: value for key, value in facts.items() if value is not None}


def onto(
    volume: Volume, image: Volume, step: Step, name: str, motion_mm: Affine | None = None
) -> NDArray[Any]:
    """Bring a volume onto the scan's grid, by its header or where `motion_mm` (4, 4) says it lies.

    A motion maps the scan's world to the volume's. Without one, a volume on the same grid stays as it is.
    """
    if motion_mm is None:
        if volume.grid.is_close(image.grid):
            return volume.data
        step.warn(
            f"The {name} lies on another grid ({_size(volume.grid)}); it was resampled onto the scan's."
        )
    step.findings[f"{name} resampled"] = {"from_shape": list(volume.shape), "interpolation": "linear"}
    motion_mm = np.eye(4) if motion_mm is None else motion_mm
    index = np.linalg.inv(volume.affine) @ motion_mm @ image.affine
    data = volume.data.astype(np.float32, copy=False)
    return ndimage.affine_transform(data, index[:3, :3], index[:3, 3], output_shape=image.shape, order=1)


def _threshold(data: NDArray[Any]) -> float:
    """Half of 1 for a probability map, half the step above 0 for whole numbers (a mask)."""
    is_fractional = bool((data != np.rint(data)).any())
    return 0.5 * float(data.max()) if is_fractional else 0.0


def _as_list(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value)


def _size(grid: Grid) -> str:
    shape = " × ".join(str(size) for size in grid.shape)
    return f"{shape} voxels of {' × '.join(f'{length:.2f}' for length in grid.spacing_mm)} mm"
