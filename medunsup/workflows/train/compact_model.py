"""A trained model made small enough to pass on: coarser numbers, compressed, without the bulky baselines."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from medunsup.core.errors import OutputError
from medunsup.io.files.artifact_folder import COMPRESSED, Arrays, compressed, widened
from medunsup.io.files.lock import locked
from medunsup.workflows.train.fit import check_figures
from medunsup.workflows.train.model_folder import (
    BASELINE_ARRAYS,
    BASELINE_TABLE,
    CARD,
    DATA_CARD,
    LOCK,
    MANIFEST,
    SCANS,
    WEIGHTS,
    ModelFolder,
    fitted_from,
    read_model,
    write_model,
)

SHARE = 1 / 32  # of the usual healthy sd: what intensities are rounded to
LEAST_SIZE = 10_000  # smaller arrays, calibration among them, stay as they are
LIMITS = "card/limits"
BULKY = "pca"  # its components take ten times as much as all else


def compact_model(
    model: ModelFolder, out: Path, *, notes: str = "", least_pattern: float | None = None
) -> ModelFolder:
    """Write a copy of a model that takes a twentieth of the space or less.

    Intensities on the grid are rounded to a 32nd of the usual healthy sd or less, all else to half precision.
    Baselines that need principal components are left out; their figures stay in baselines.tsv.

    Parameters
    ----------
    model : ModelFolder
        The model, from `train` or `read_model`.
    out : Path
        Folder for the copy.
    notes : str, default ''
        Markdown that ends the copy's model card.
    least_pattern : float, optional
        Raises the limit of the OOD check "pattern" to at least this, for a model that will meet other
        scanners.

    Returns
    -------
    ModelFolder
        The copy.

    Raises
    ------
    OutputError
        If `out` holds a model already.

    Examples
    --------
    >>> import medunsup
    >>> from pathlib import Path
    >>> small = medunsup.compact_model(medunsup.read_model("runs/atlas"), Path("runs/small"))
    >>> small.contrast
    'T1w'
    """
    step = rounding(model)
    arrays = {name: lighter(value, model.shape, step) for name, value in model.arrays.items()}
    if least_pattern is not None:
        arrays[LIMITS] = stricter(arrays[LIMITS], least_pattern)
    figures = check_figures(fitted_from(widened(arrays), model.settings, model.shape))
    manifest = model.manifest.model_copy(update={"check": figures})
    kept = (BASELINE_TABLE, SCANS, CARD, *((DATA_CARD,) if (model.path / DATA_CARD).exists() else ()))
    files: dict[str, str | bytes] = {name: (model.path / name).read_bytes() for name in kept}
    files[CARD] = (model.path / CARD).read_text(encoding="utf-8") + notes
    files[WEIGHTS + COMPRESSED] = compressed(arrays)
    files[BASELINE_ARRAYS + COMPRESSED] = compressed(light_baselines(model, step))
    with locked(out / LOCK):
        if (out / MANIFEST).exists():
            raise OutputError(f"{out}: holds a model. Choose another folder.")
        write_model(out, manifest, files)
    return read_model(out)


def stricter(limits: NDArray[Any], least_pattern: float) -> NDArray[Any]:
    """Return the limits of `distribution_shift.MEASURES`, that of the pattern at least as given."""
    from medunsup.anomaly.distribution_shift import MEASURES

    is_pattern = np.array([name == "pattern" for name in MEASURES])
    return np.where(is_pattern, np.maximum(limits, least_pattern), limits)


def rounding(model: ModelFolder) -> float:
    """Return what intensities are rounded to: a power of 2, so that half precision holds it exactly."""
    spread = model.baselines.spread
    return float(2.0 ** np.floor(np.log2(SHARE * np.median(spread[spread > 0]))))


def light_baselines(model: ModelFolder, step: float) -> Arrays:
    """Return what the baselines learned, without those that need principal components."""
    from medunsup.anomaly.baselines import BASELINES

    bulky = {BULKY, *(name for name, one in BASELINES.items() if one.model == BULKY)}
    learned = model.baselines.state()
    return {
        name: lighter(value, model.shape, step)
        for name, value in learned.items()
        if name.partition("/")[0] not in bulky
    }


def lighter(values: NDArray[Any], shape: tuple[int, ...], step: float) -> NDArray[Any]:
    """Bring a large float32 array to half precision, rounded to `step` if it lies on the grid of `shape`."""
    if values.dtype != np.float32 or values.size < LEAST_SIZE:
        return values
    if values.shape[-3:] == shape[-3:]:
        rounded = np.round(values / step) * step
        values = np.where(rounded == 0, values, rounded)  # a deviation of 0 would divide by 0
    return values.astype(np.float16)
