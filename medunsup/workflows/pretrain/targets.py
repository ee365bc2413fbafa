"""What some methods ask of each voxel, made of the prepared scans without any label.

A pretraining method says by `asks_for` what it would learn from. The areas `tissue` and `selfsupervised`
stand side by side and do not know each other, so here, above both, one's maps become the other's targets.
"""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from medunsup.cohort.tissue_fractions import template_priors, tissue_fractions
from medunsup.core.errors import InputError
from medunsup.core.labels import TISSUES
from medunsup.core.pace import Pace
from medunsup.core.progress import Stage, Told
from medunsup.io.files.memmap import stacked
from medunsup.io.files.npz import read_npz, write_npz
from medunsup.workflows.pretrain.data import Ready
from medunsup.workflows.pretrain.learn import build
from medunsup.workflows.pretrain.settings import PretrainSettings

if TYPE_CHECKING:
    from medunsup.training.scan_stack import Scans

TISSUE_FRACTIONS = "tissue fractions"
FRACTIONS = "fractions"
RECIPE = 1  # counts up when fractions come out otherwise, so that what was kept is not taken again

Array = NDArray[np.float32]
Mask = NDArray[np.bool_]


def with_targets(ready: Ready, settings: PretrainSettings, folder: Path, cache: Path, told: Told) -> Ready:
    """Lay targets beside prepared scans, in files of `folder`, if the method asks for some that can be made.

    `cache` keeps those of each scan.

    Raises InputError naming a scan that no tissues are found in.
    """
    about = ready.preprocessing
    if build(settings).asks_for != TISSUE_FRACTIONS or about.kind != "scans":
        return ready
    assert about.contrast is not None
    priors, contrast, spacing_mm = template_priors(settings.spacing_mm), about.contrast, settings.spacing_mm
    pace = Pace(sum(map(len, ready.scans.values())))

    def fractions(values: Array, mask: Mask) -> Array:
        kept = cache / f"{_key(values, mask, contrast, spacing_mm)}_tissues.npz"
        found = (read_npz(kept) or {}).get(FRACTIONS)
        if found is None:
            made = tissue_fractions(values, mask, priors, contrast=contrast, spacing_mm=spacing_mm)
            found = made.astype(np.float16)
            write_npz(kept, {FRACTIONS: found})
        seconds_left, share = pace.done(), pace.n_done / pace.n_items
        told(Stage(f"tissue fractions, {pace.n_done} of {pace.n_items}", share, seconds_left))
        return found.astype(np.float32)

    told(Stage("tissue fractions"))
    laid = {
        name: _laid(scans, fractions, folder / f"{name}_targets.npy") for name, scans in ready.scans.items()
    }
    return replace(ready, scans=laid)


def _key(values: Array, mask: Mask, contrast: str, spacing_mm: float) -> str:
    """Name what the targets of a scan follow from."""
    digest = sha256(f"{RECIPE} {contrast} {spacing_mm} {values.shape}".encode())
    for one in (values, mask):
        digest.update(np.ascontiguousarray(one).tobytes())
    return digest.hexdigest()[:32]


def _laid(scans: "Scans", fractions: Callable[[Array, Mask], Array], path: Path) -> "Scans":
    """Write the targets of each scan one behind the other, and map them into memory."""
    with stacked(path, (len(scans), len(TISSUES), *scans.shape[1:]), np.float32) as add:
        for name, (values, mask) in zip(scans.names, scans, strict=True):
            try:
                add(fractions(values, mask))
            except InputError as error:
                raise InputError(f"{name}: no tissue fractions can be found. {error}") from error
    return replace(scans, targets=np.load(path, mmap_mode="r"))
